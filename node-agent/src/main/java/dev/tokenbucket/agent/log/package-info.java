/** How log lines are written, and which. */
@NullMarked
package dev.tokenbucket.agent.log;

import org.jspecify.annotations.NullMarked;
