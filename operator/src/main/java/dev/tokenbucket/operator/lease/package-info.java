// SPDX-License-Identifier: Apache-2.0
/**
 * Makes sure that only one of two replicas writes: which one holds the lease, and what a loss of
 * the lease causes.
 */
@NullMarked
package dev.tokenbucket.operator.lease;

import org.jspecify.annotations.NullMarked;
