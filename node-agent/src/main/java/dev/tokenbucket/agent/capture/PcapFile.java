// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The format of tcpdump: a header, and one record per frame. */
final class PcapFile implements CaptureReader.CaptureFormat {
  static final int MICROS = 0xa1b2c3d4;
  static final int NANOS = 0xa1b23c4d;

  private static final int HEADER_BEHIND_MAGIC = 20;
  private static final int RECORD = 16;

  /**
   * The bits of the link type in its field; the bits above hold the length of checksums, and flags.
   */
  private static final int LINK_TYPE = 0xffff;

  private static final long SECOND = 1_000_000_000;

  private final CaptureInput in;
  private final int fractionNanos;
  private final LinkType link;

  /**
   * Reads the rest of the header.
   *
   * @param fractionNanos the unit of a time's fraction, in nanoseconds
   */
  PcapFile(CaptureInput in, ByteOrder order, int fractionNanos) throws IOException {
    this.in = in;
    this.fractionNanos = fractionNanos;
    in.order(order);
    int number = in.fields(HEADER_BEHIND_MAGIC, "the file's header").getInt(16) & LINK_TYPE;
    this.link = in.linkType(number);
  }

  @Override
  public boolean next(CapturedFrame frame, long number) throws IOException {
    String what = "packet ";
    if (in.endsBefore(RECORD, "the record of a packet")) {
      return false;
    }
    ByteBuffer record = in.fields();
    long seconds = Integer.toUnsignedLong(record.getInt(0));
    long fraction = Integer.toUnsignedLong(record.getInt(4)) * fractionNanos;
    int captured = record.getInt(8);
    int length = record.getInt(12);
    if (fraction >= SECOND) {
      throw in.problem(what + number + " has a fraction of a second that is longer than a second");
    }
    Lengths.check(in, number, captured, length);
    in.read(frame.bytes(), captured, "a packet");
    frame.set(link, captured, Math.max(captured, length), seconds * SECOND + fraction, number);
    return true;
  }
}
