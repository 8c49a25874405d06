// SPDX-License-Identifier: Apache-2.0
/**
 * The paths on the BPF file system at which this agent, and agents of other layouts, pin their
 * objects.
 */
@NullMarked
package dev.tokenbucket.agent.pins;

import org.jspecify.annotations.NullMarked;
