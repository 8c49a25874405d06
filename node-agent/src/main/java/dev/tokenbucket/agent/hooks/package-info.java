/** Hooks: which policies each is to run, and the program that does it. */
@NullMarked
package dev.tokenbucket.agent.hooks;

import org.jspecify.annotations.NullMarked;
