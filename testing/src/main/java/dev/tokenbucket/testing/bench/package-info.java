// SPDX-License-Identifier: Apache-2.0
/** {@code make bench}: the cost of a packet, and the throughput of a limited interface. */
@NullMarked
package dev.tokenbucket.testing.bench;

import org.jspecify.annotations.NullMarked;
