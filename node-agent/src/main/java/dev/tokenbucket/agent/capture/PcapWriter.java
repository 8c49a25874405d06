// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes frames to a pcap file, with times in nanoseconds. The header is written with the first
 * frame.
 */
public final class PcapWriter implements AutoCloseable {
  private static final int BUFFER = 1 << 18;
  private static final int HEADER = 24;
  private static final int RECORD = 16;
  private static final long SECOND = 1_000_000_000;

  private final OutputStream out;
  private final ByteBuffer record = ByteBuffer.allocate(RECORD);
  private boolean begun;

  private PcapWriter(OutputStream out) {
    this.out = new BufferedOutputStream(out, BUFFER);
  }

  /** Creates a file, or truncates the existing one. */
  public static PcapWriter to(Path file) throws IOException {
    return new PcapWriter(Files.newOutputStream(file));
  }

  /** Appends a frame as captured; all frames must have the same link type. */
  public void write(CapturedFrame frame) throws IOException {
    if (!begun) {
      begin(frame.link());
    }
    record
        .clear()
        .putInt((int) (frame.nanos() / SECOND))
        .putInt((int) (frame.nanos() % SECOND))
        .putInt(frame.captured())
        .putInt(frame.length());
    out.write(record.array());
    out.write(frame.bytes(), 0, frame.captured());
  }

  private void begin(LinkType link) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    header.putInt(PcapFile.NANOS).putShort((short) 2).putShort((short) 4).putLong(0);
    header.putInt(CapturedFrame.LONGEST).putInt(link.number());
    out.write(header.array());
    begun = true;
  }

  /** Closes the file; a file without a frame gets a header and so is a capture, too. */
  @Override
  public void close() throws IOException {
    if (!begun) {
      begin(LinkType.ETHERNET);
    }
    out.close();
  }
}
