// SPDX-License-Identifier: Apache-2.0
/** The classifier on no interface: its maps are private, and vanish when it is closed. */
@NullMarked
package dev.tokenbucket.agent.simulate;

import org.jspecify.annotations.NullMarked;
