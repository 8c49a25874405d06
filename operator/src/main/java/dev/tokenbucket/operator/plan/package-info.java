// SPDX-License-Identifier: Apache-2.0
/** Plans the policies that each node should run: pure, without a client. */
@NullMarked
package dev.tokenbucket.operator.plan;

import org.jspecify.annotations.NullMarked;
