@NullMarked
package dev.tokenbucket.agent.compile;

import org.jspecify.annotations.NullMarked;
