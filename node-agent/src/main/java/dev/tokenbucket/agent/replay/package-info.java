/** Captures through the classifier, and what became of their packets. */
@NullMarked
package dev.tokenbucket.agent.replay;

import org.jspecify.annotations.NullMarked;
