/** What the agent does for as long as it runs, and how it shows that it does. */
@NullMarked
package dev.tokenbucket.agent.loop;

import org.jspecify.annotations.NullMarked;
