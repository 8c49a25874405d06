/** This host: what the agent needs of it, what it locks there, and its files. */
@NullMarked
package dev.tokenbucket.agent.host;

import org.jspecify.annotations.NullMarked;
