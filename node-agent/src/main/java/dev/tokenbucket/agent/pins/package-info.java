/**
 * Where the objects of this agent, and of agents of other layouts, are pinned on the BPF file
 * system.
 */
@NullMarked
package dev.tokenbucket.agent.pins;

import org.jspecify.annotations.NullMarked;
