/** Policies' slots in the host's maps: whose each is, its parameters and its buckets. */
@NullMarked
package dev.tokenbucket.agent.slots;

import org.jspecify.annotations.NullMarked;
