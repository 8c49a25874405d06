// SPDX-License-Identifier: Apache-2.0
/** The rollout of a policy's generation from node to node: pure, without a client. */
@NullMarked
package dev.tokenbucket.operator.rollout;

import org.jspecify.annotations.NullMarked;
