/** {@code make bench}: what a packet costs, and what passes through a limited interface. */
@NullMarked
package dev.tokenbucket.testing.bench;

import org.jspecify.annotations.NullMarked;
