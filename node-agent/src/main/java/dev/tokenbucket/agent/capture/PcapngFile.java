// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The format of Wireshark: sections of blocks, each block with its length at the beginning and the
 * end. Blocks that hold no frame are skipped.
 */
final class PcapngFile implements CaptureReader.CaptureFormat {
  /** The type of a section's header, the same in either byte order. */
  static final int SECTION = 0x0a0d0d0a;

  private static final int BYTE_ORDER = 0x1a2b3c4d;
  private static final int INTERFACE = 1;
  private static final int SIMPLE_PACKET = 3;
  private static final int ENHANCED_PACKET = 6;

  /** Bytes of type and length at a block's beginning; the length is repeated at the end. */
  private static final int HEAD = 8;

  private static final int TAIL = 4;
  private static final int MOST_INTERFACES = 4_096;
  private static final int LONGEST_INTERFACE = 65_536;
  private static final String BLOCK = "a block";

  private final CaptureInput in;
  private final List<PcapngInterface> interfaces = new ArrayList<>();

  /** Reads the first section, whose type has been read. */
  PcapngFile(CaptureInput in) throws IOException {
    this.in = in;
    section();
  }

  /**
   * Reads a section header after its type: the length, the mark that shows the length's byte order,
   * and fields that are skipped.
   */
  private void section() throws IOException {
    ByteBuffer fields = in.fields(8, "a section's header");
    in.order(ByteOrder.BIG_ENDIAN);
    if (fields.getInt(4) != BYTE_ORDER) {
      in.order(ByteOrder.LITTLE_ENDIAN);
      if (fields.getInt(4) != BYTE_ORDER) {
        throw in.problem("a section header has an unknown byte order");
      }
    }
    int length = fields.getInt(0);
    int read = 12;
    if (length < read + TAIL || length % Integer.BYTES != 0) {
      throw badLength(length);
    }
    in.skip(length - read, "a section's header");
    interfaces.clear();
  }

  private CaptureException badLength(int length) {
    return in.problem("a block has a length of %,d".formatted(Integer.toUnsignedLong(length)));
  }

  @Override
  public boolean next(CapturedFrame frame, long number) throws IOException {
    while (!in.endsBefore(Integer.BYTES, BLOCK)) {
      int type = in.fields().getInt(0);
      if (type == SECTION) {
        section();
      } else if (block(type, frame, number)) {
        return true;
      }
    }
    return false;
  }

  /** Reads a block; returns whether it held a frame. */
  private boolean block(int type, CapturedFrame frame, long number) throws IOException {
    int length = in.fields(Integer.BYTES, BLOCK).getInt(0);
    if (length < HEAD + TAIL || length % Integer.BYTES != 0) {
      throw badLength(length);
    }
    int body = length - HEAD - TAIL;
    switch (type) {
      case INTERFACE -> addInterface(body);
      case ENHANCED_PACKET -> enhanced(body, frame, number);
      case SIMPLE_PACKET -> throw noTime(number);
      default -> in.skip(body, BLOCK);
    }
    if (in.fields(TAIL, BLOCK).getInt(0) != length) {
      throw in.problem("a block starts with one length and ends with another");
    }
    return type == ENHANCED_PACKET;
  }

  private void addInterface(int body) throws IOException {
    if (interfaces.size() == MOST_INTERFACES) {
      throw in.problem("more than %,d interfaces".formatted(MOST_INTERFACES));
    }
    if (body < 8 || body > LONGEST_INTERFACE) {
      throw in.problem("the description of an interface has %,d bytes".formatted(body));
    }
    byte[] description = new byte[body];
    in.read(description, body, "the description of an interface");
    interfaces.add(PcapngInterface.of(in, ByteBuffer.wrap(description).order(in.order())));
  }

  private void enhanced(int body, CapturedFrame frame, long number) throws IOException {
    int head = 20;
    need(body, head, number);
    ByteBuffer fields = in.fields(head, "the record of a packet");
    PcapngInterface of = at(fields.getInt(0), number);
    long nanos = of.nanos(in, fields.getInt(4), fields.getInt(8), number);
    int captured = fields.getInt(12);
    int length = fields.getInt(16);
    Lengths.check(in, number, captured, length);
    need(body, head + captured, number);
    in.read(frame.bytes(), captured, "a packet");
    in.skip(body - head - captured, "a packet");
    frame.set(of.link(), captured, Math.max(captured, length), nanos, number);
  }

  private CaptureException noTime(long number) {
    return in.problem(
        ("packet %d is in a simple packet block, which holds no time, so it can't be" + " replayed")
            .formatted(number));
  }

  private void need(int body, int bytes, long number) throws CaptureException {
    if (body < bytes) {
      throw in.problem("the block of packet %d is shorter than what it holds".formatted(number));
    }
  }

  private PcapngInterface at(int index, long number) throws CaptureException {
    if (index < 0 || index >= interfaces.size()) {
      throw in.problem(
          "packet %d names interface %d, which the file does not describe"
              .formatted(number, Integer.toUnsignedLong(index)));
    }
    return interfaces.get(index);
  }
}
