// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.nio.ByteBuffer;

/**
 * An interface of a section, from its description block.
 *
 * @param binary whether the fraction of a second is a power of 2; otherwise a power of 10
 * @param exponent the exponent of the fraction of a second
 * @param offsetSeconds the seconds to add to each time
 */
record PcapngInterface(LinkType link, boolean binary, int exponent, long offsetSeconds) {
  private static final int OPTIONS = 8;
  private static final int OPTION_HEAD = 4;
  private static final int END = 0;
  private static final int RESOLUTION = 9;
  private static final int OFFSET = 14;
  private static final int BINARY = 0x80;
  private static final int MICROS = 6;
  private static final int NANOS = 9;
  private static final int MOST_DECIMALS = 18;
  private static final int MOST_BITS = 62;
  private static final long SECOND = 1_000_000_000;

  /** About the year 2116: a later time is no time of a capture. */
  private static final long LAST = 1L << 62;

  private static final long LAST_SECOND = LAST / SECOND;

  static PcapngInterface of(CaptureInput in, ByteBuffer description) throws CaptureException {
    int number = Short.toUnsignedInt(description.getShort(0));
    LinkType link = in.linkType(number);
    int resolution = MICROS;
    long offset = 0;
    int at = OPTIONS;
    while (at + OPTION_HEAD <= description.limit()) {
      int code = Short.toUnsignedInt(description.getShort(at));
      int length = Short.toUnsignedInt(description.getShort(at + 2));
      at += OPTION_HEAD;
      if (code == END) {
        break;
      }
      if (at + length > description.limit()) {
        throw in.problem("an option of an interface is longer than its description");
      }
      if (code == RESOLUTION && length == 1) {
        resolution = Byte.toUnsignedInt(description.get(at));
      } else if (code == OFFSET && length == Long.BYTES) {
        offset = description.getLong(at);
      }
      at += (length + 3) / 4 * 4;
    }
    return of(in, link, resolution, offset);
  }

  private static PcapngInterface of(CaptureInput in, LinkType link, int resolution, long offset)
      throws CaptureException {
    boolean binary = (resolution & BINARY) != 0;
    int exponent = resolution & ~BINARY;
    if (exponent > (binary ? MOST_BITS : MOST_DECIMALS)
        || offset < -LAST_SECOND
        || offset > LAST_SECOND) {
      throw in.problem("the times of an interface have a resolution or an offset out of range");
    }
    return new PcapngInterface(link, binary, exponent, offset);
  }

  /** A packet's time in nanoseconds since 1970. */
  long nanos(CaptureInput in, int high, int low, long number) throws CaptureException {
    long units = Integer.toUnsignedLong(high) << Integer.SIZE | Integer.toUnsignedLong(low);
    long perSecond = binary ? 1L << exponent : power(exponent);
    long seconds = Long.divideUnsigned(units, perSecond) + offsetSeconds;
    if (seconds < 0 || seconds >= LAST_SECOND) {
      throw in.problem("packet %d has a time out of range".formatted(number));
    }
    return seconds * SECOND + fraction(Long.remainderUnsigned(units, perSecond));
  }

  private long fraction(long parts) {
    if (binary) {
      return Math.multiplyHigh(parts << (63 - exponent), 2 * SECOND);
    }
    return exponent <= NANOS ? parts * power(NANOS - exponent) : parts / power(exponent - NANOS);
  }

  private static long power(int exponent) {
    long power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= 10;
    }
    return power;
  }
}
