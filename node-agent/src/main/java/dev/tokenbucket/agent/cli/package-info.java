// SPDX-License-Identifier: Apache-2.0
/** The commands of {@code tb}, and their options. */
@NullMarked
package dev.tokenbucket.agent.cli;

import org.jspecify.annotations.NullMarked;
