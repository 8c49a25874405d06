@NullMarked
package dev.tokenbucket.agent.program;

import org.jspecify.annotations.NullMarked;
