// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bytes of a capture file in order, with their offset in the file. */
final class CaptureInput implements AutoCloseable {
  private static final int BUFFER = 1 << 20;

  private final InputStream in;
  private final String file;
  private final byte[] header = new byte[64];
  private final ByteBuffer fields = ByteBuffer.wrap(header);
  private long offset;

  CaptureInput(InputStream in, String file) {
    this.in = new BufferedInputStream(in, BUFFER);
    this.file = file;
  }

  long offset() {
    return offset;
  }

  void order(ByteOrder order) {
    fields.order(order);
  }

  ByteOrder order() {
    return fields.order();
  }

  /**
   * The next bytes, which the caller reads by offset before the next call.
   *
   * @param what the name of the bytes, for the message if the file ends within them
   */
  ByteBuffer fields(int count, String what) throws IOException {
    read(header, count, what);
    return fields;
  }

  /** The bytes last read by {@link #fields(int, String)} or {@link #endsBefore}. */
  ByteBuffer fields() {
    return fields;
  }

  /** Whether the file has ended; if not, reads the next bytes. */
  boolean endsBefore(int count, String what) throws IOException {
    in.mark(1);
    if (in.read() < 0) {
      return true;
    }
    in.reset();
    fields(count, what);
    return false;
  }

  void read(byte[] to, int count, String what) throws IOException {
    int read = in.readNBytes(to, 0, count);
    offset += read;
    if (read < count) {
      throw cutShort(what);
    }
  }

  void skip(long count, String what) throws IOException {
    try {
      in.skipNBytes(count);
    } catch (EOFException e) {
      throw cutShort(what);
    }
    offset += count;
  }

  private CaptureException cutShort(String what) {
    return problem("the file ends within " + what);
  }

  /** The link type of this number in the file. */
  LinkType linkType(int number) throws CaptureException {
    return LinkType.of(number)
        .orElseThrow(
            () ->
                problem(
                    "unsupported link type %d; supported: %s".formatted(number, LinkType.known())));
  }

  CaptureException problem(String text) {
    return new CaptureException(file, offset, text);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
