// SPDX-License-Identifier: Apache-2.0
/** Watches policies and nodes, and writes node states and the policies' status. */
@NullMarked
package dev.tokenbucket.operator;

import org.jspecify.annotations.NullMarked;
