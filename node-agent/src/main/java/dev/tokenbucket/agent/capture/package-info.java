// SPDX-License-Identifier: Apache-2.0
/** Capture files, pcap and pcapng, read and written as a stream. Pure. */
@NullMarked
package dev.tokenbucket.agent.capture;

import org.jspecify.annotations.NullMarked;
