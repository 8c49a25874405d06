// SPDX-License-Identifier: Apache-2.0
/** The operator's view of nodes, policies and node states, kept so that a change costs little. */
@NullMarked
package dev.tokenbucket.operator.fleet;

import org.jspecify.annotations.NullMarked;
