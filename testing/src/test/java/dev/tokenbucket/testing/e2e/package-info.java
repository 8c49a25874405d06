/** The suite on two real nodes; {@code make e2e} runs it. */
@NullMarked
package dev.tokenbucket.testing.e2e;

import org.jspecify.annotations.NullMarked;
