@NullMarked
package dev.tokenbucket.agent.kernel;

import org.jspecify.annotations.NullMarked;
