// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The frames of a capture file, pcap or pcapng, one after the other. The reader treats a file as
 * hostile: it trusts no length beyond the longest possible frame, and keeps only one frame in
 * memory.
 */
public final class CaptureReader implements AutoCloseable {
  private final CaptureInput in;
  private final CaptureFormat format;
  private final CapturedFrame frame = new CapturedFrame();
  private long count;

  /** A format of capture files. */
  interface CaptureFormat {
    /**
     * Reads the next frame.
     *
     * @param number the frame's number
     * @return false at the file's end
     */
    boolean next(CapturedFrame frame, long number) throws IOException;
  }

  private CaptureReader(CaptureInput in, CaptureFormat format) {
    this.in = in;
    this.format = format;
  }

  /** Opens a file. */
  public static CaptureReader open(Path file) throws IOException {
    return of(Files.newInputStream(file), file.toString());
  }

  /**
   * Reads a stream, which it closes.
   *
   * @param file the file's name, for messages
   */
  public static CaptureReader of(InputStream stream, String file) throws IOException {
    CaptureInput in = new CaptureInput(stream, file);
    try {
      return new CaptureReader(in, format(in));
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private static CaptureFormat format(CaptureInput in) throws IOException {
    int magic = in.fields(Integer.BYTES, "its first four bytes").getInt(0);
    return switch (magic) {
      case PcapFile.MICROS -> new PcapFile(in, ByteOrder.BIG_ENDIAN, 1_000);
      case PcapFile.NANOS -> new PcapFile(in, ByteOrder.BIG_ENDIAN, 1);
      case PcapngFile.SECTION -> new PcapngFile(in);
      default -> swapped(in, Integer.reverseBytes(magic));
    };
  }

  private static CaptureFormat swapped(CaptureInput in, int magic) throws IOException {
    return switch (magic) {
      case PcapFile.MICROS -> new PcapFile(in, ByteOrder.LITTLE_ENDIAN, 1_000);
      case PcapFile.NANOS -> new PcapFile(in, ByteOrder.LITTLE_ENDIAN, 1);
      default ->
          throw in.problem("this file is not a capture: it starts like neither pcap nor pcapng");
    };
  }

  /** Reads the next frame into {@link #frame}; returns false at the end. */
  public boolean next() throws IOException {
    if (!format.next(frame, count + 1)) {
      return false;
    }
    count++;
    return true;
  }

  /** The frame last read. */
  public CapturedFrame frame() {
    return frame;
  }

  /** Bytes of the file read so far. */
  public long offset() {
    return in.offset();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
