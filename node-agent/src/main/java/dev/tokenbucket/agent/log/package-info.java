// SPDX-License-Identifier: Apache-2.0
/** The format of log lines, and the level from which they are written. */
@NullMarked
package dev.tokenbucket.agent.log;

import org.jspecify.annotations.NullMarked;
