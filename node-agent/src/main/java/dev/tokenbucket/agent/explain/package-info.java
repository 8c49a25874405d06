// SPDX-License-Identifier: Apache-2.0
/** Explains what would happen to a packet on a hook of this host. */
@NullMarked
package dev.tokenbucket.agent.explain;

import org.jspecify.annotations.NullMarked;
