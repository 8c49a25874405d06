// SPDX-License-Identifier: Apache-2.0
/** Removes every policy before an uninstall, and waits for the nodes. */
@NullMarked
package dev.tokenbucket.operator.drain;

import org.jspecify.annotations.NullMarked;
