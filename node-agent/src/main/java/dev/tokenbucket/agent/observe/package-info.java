// SPDX-License-Identifier: Apache-2.0
/** Packets that exceed, shown as it happens. */
@NullMarked
package dev.tokenbucket.agent.observe;

import org.jspecify.annotations.NullMarked;
