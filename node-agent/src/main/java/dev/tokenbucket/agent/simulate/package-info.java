/** The classifier on no interface: its maps are nobody else's, and go when it is closed. */
@NullMarked
package dev.tokenbucket.agent.simulate;

import org.jspecify.annotations.NullMarked;
