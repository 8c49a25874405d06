@NullMarked
package dev.tokenbucket.agent;

import org.jspecify.annotations.NullMarked;
