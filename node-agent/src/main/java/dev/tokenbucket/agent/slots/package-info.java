// SPDX-License-Identifier: Apache-2.0
/** Policies' slots in the host's maps: the identity, parameters and buckets of each slot. */
@NullMarked
package dev.tokenbucket.agent.slots;

import org.jspecify.annotations.NullMarked;
