/** The operator over thousands of nodes: what {@code make bench-scale} runs. */
@NullMarked
package dev.tokenbucket.testing.scale;

import org.jspecify.annotations.NullMarked;
