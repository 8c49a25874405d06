// SPDX-License-Identifier: Apache-2.0
/** Finds the limit that a capture's packets would have kept within. */
@NullMarked
package dev.tokenbucket.agent.suggest;

import org.jspecify.annotations.NullMarked;
