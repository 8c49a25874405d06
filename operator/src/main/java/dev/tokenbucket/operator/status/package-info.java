// SPDX-License-Identifier: Apache-2.0
/** The content of a policy's status: pure, without a client. */
@NullMarked
package dev.tokenbucket.operator.status;

import org.jspecify.annotations.NullMarked;
