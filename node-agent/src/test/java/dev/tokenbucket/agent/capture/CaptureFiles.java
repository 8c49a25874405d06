// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Capture files for tests, as tcpdump and Wireshark write them, and the frames that a reader finds
 * in one.
 */
public final class CaptureFiles {
  private static final long SECOND = 1_000_000_000;

  private CaptureFiles() {}

  /** A frame that was captured whole. */
  public record Frame(long nanos, ByteBuffer bytes) {
    public Frame(long nanos, byte[] bytes) {
      this(nanos, ByteBuffer.wrap(bytes.clone()).asReadOnlyBuffer());
    }

    int length() {
      return bytes.remaining();
    }
  }

  /** In the format of tcpdump. */
  public static byte[] pcap(int link, boolean nanos, ByteOrder order, List<Frame> frames) {
    ByteBuffer file = ByteBuffer.allocate(room(frames)).order(order);
    file.putInt(nanos ? PcapFile.NANOS : PcapFile.MICROS);
    file.putShort((short) 2).putShort((short) 4).putLong(0).putInt(65_535).putInt(link);
    for (Frame frame : frames) {
      file.putInt((int) (frame.nanos() / SECOND));
      file.putInt((int) (frame.nanos() % SECOND / (nanos ? 1 : 1_000)));
      file.putInt(frame.length()).putInt(frame.length()).put(frame.bytes().duplicate());
    }
    return Arrays.copyOf(file.array(), file.position());
  }

  /** In the format of Wireshark, with times in nanoseconds and a block that nobody knows. */
  public static byte[] pcapng(int link, ByteOrder order, List<Frame> frames) {
    ByteBuffer file = ByteBuffer.allocate(room(frames)).order(order);
    block(file, PcapngFile.SECTION, 16, body -> body.putInt(0x1a2b3c4d).putInt(1).putLong(-1));
    block(
        file,
        1,
        16,
        body -> {
          body.putShort((short) link).putShort((short) 0).putInt(0);
          body.putShort((short) 9).putShort((short) 1).put((byte) 9).put(new byte[3]);
        });
    block(file, 0x0bad, 8, body -> body.putLong(7));
    for (Frame frame : frames) {
      int padded = (frame.length() + 3) / 4 * 4;
      block(
          file,
          6,
          20 + padded,
          body -> {
            body.putInt(0).putInt((int) (frame.nanos() >>> 32)).putInt((int) frame.nanos());
            body.putInt(frame.length()).putInt(frame.length()).put(frame.bytes().duplicate());
          });
    }
    return Arrays.copyOf(file.array(), file.position());
  }

  private static int room(List<Frame> frames) {
    return 200 + frames.stream().mapToInt(frame -> frame.length() + 64).sum();
  }

  private interface Body {
    void put(ByteBuffer to);
  }

  private static void block(ByteBuffer file, int type, int body, Body content) {
    file.putInt(type).putInt(body + 12);
    int begin = file.position();
    content.put(file);
    file.position(begin + body);
    file.putInt(body + 12);
  }

  /** Reads all frames. */
  public static List<Frame> read(byte[] file) throws IOException {
    List<Frame> frames = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.of(new ByteArrayInputStream(file), "capture")) {
      while (reader.next()) {
        CapturedFrame frame = reader.frame();
        frames.add(new Frame(frame.nanos(), Arrays.copyOf(frame.bytes(), frame.captured())));
      }
    }
    return frames;
  }
}
