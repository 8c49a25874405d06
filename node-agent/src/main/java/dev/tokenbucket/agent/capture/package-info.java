/** Capture files, pcap and pcapng, read and written as a stream. Pure. */
@NullMarked
package dev.tokenbucket.agent.capture;

import org.jspecify.annotations.NullMarked;
