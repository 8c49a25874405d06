// SPDX-License-Identifier: Apache-2.0
/** Which keys use a policy's tokens, from two readings of the maps. */
@NullMarked
package dev.tokenbucket.agent.top;

import org.jspecify.annotations.NullMarked;
