// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A field of a C struct. Buffers passed to its methods begin with the struct and are in the host's
 * byte order, as {@link Struct#allocate} and {@link Struct#at} give them.
 *
 * @param name as in C
 * @param offset bytes from the struct's beginning
 * @param size bytes; for an array, of the whole array
 */
public record Field(String name, int offset, int size) {
  /** Reads a field of 4 bytes. */
  public int getInt(ByteBuffer from) {
    return from.getInt(offsetOf(Integer.BYTES));
  }

  /** Reads a field of 8 bytes. */
  public long getLong(ByteBuffer from) {
    return from.getLong(offsetOf(Long.BYTES));
  }

  /** Writes a field of 1 byte. */
  public void putByte(ByteBuffer to, int value) {
    to.put(offsetOf(Byte.BYTES), (byte) value);
  }

  /** Writes a field of 2 bytes. */
  public void putShort(ByteBuffer to, int value) {
    to.putShort(offsetOf(Short.BYTES), (short) value);
  }

  /** Writes a field of 4 bytes. */
  public void putInt(ByteBuffer to, int value) {
    to.putInt(offsetOf(Integer.BYTES), value);
  }

  /** Writes a field of 8 bytes. */
  public void putLong(ByteBuffer to, long value) {
    to.putLong(offsetOf(Long.BYTES), value);
  }

  /** Writes a whole array or struct. */
  public void put(ByteBuffer to, byte[] value) {
    to.put(offsetOf(value.length), value);
  }

  /** The field alone, in the host's byte order: for an array, or a struct in the struct. */
  public ByteBuffer in(ByteBuffer struct) {
    return struct.slice(offset, size).order(ByteOrder.nativeOrder());
  }

  private int offsetOf(int bytes) {
    if (bytes != size) {
      throw new IllegalArgumentException(name + " has " + size + " bytes, not " + bytes);
    }
    return offset;
  }
}
