// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A C struct. Offsets follow from the order of the fields, as in C.
 *
 * @param name the struct's tag in C
 * @param size bytes
 * @param alignment bytes
 * @param fields all fields in order, including named padding
 */
public record Struct(String name, int size, int alignment, List<Field> fields) {
  public Struct {
    fields = List.copyOf(fields);
  }

  /** Begins the list of a struct's fields. */
  public static Builder named(String name) {
    return new Builder(name);
  }

  /**
   * One of the fields.
   *
   * @throws IllegalArgumentException if there is no field of this name
   */
  public Field field(String wanted) {
    return fields.stream()
        .filter(field -> field.name().equals(wanted))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(name + " has no field " + wanted));
  }

  /** A buffer for one struct, all zero, in the host's byte order. */
  public ByteBuffer allocate() {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  /**
   * The bytes of one struct.
   *
   * @param fill writes the fields; fields not written are zero
   */
  public byte[] encode(Consumer<ByteBuffer> fill) {
    ByteBuffer struct = allocate();
    fill.accept(struct);
    byte[] bytes = new byte[size];
    struct.get(0, bytes);
    return bytes;
  }

  /** One of several consecutive structs, in the host's byte order. */
  public ByteBuffer at(ByteBuffer all, int index) {
    return all.slice(index * size, size).order(ByteOrder.nativeOrder());
  }

  /** Fields in the order of C, each at the next offset that its alignment allows. */
  public static final class Builder {
    private final String name;
    private final List<Field> fields = new ArrayList<>();
    private int end;
    private int alignment = 1;

    private Builder(String name) {
      this.name = name;
    }

    /** {@code __u8}. */
    public Builder u8(String field) {
      return u8(field, 1);
    }

    /** An array of {@code __u8}. */
    public Builder u8(String field, int count) {
      return add(field, Byte.BYTES, count, Byte.BYTES);
    }

    /** {@code __u16} or {@code __be16}. */
    public Builder u16(String field) {
      return u16(field, 1);
    }

    /** An array of {@code __u16} or {@code __be16}. */
    public Builder u16(String field, int count) {
      return add(field, Short.BYTES, count, Short.BYTES);
    }

    /** {@code __u32} or {@code __be32}. */
    public Builder u32(String field) {
      return u32(field, 1);
    }

    /** An array of {@code __u32} or {@code __be32}. */
    public Builder u32(String field, int count) {
      return add(field, Integer.BYTES, count, Integer.BYTES);
    }

    /** {@code __u64}. */
    public Builder u64(String field) {
      return u64(field, 1);
    }

    /** An array of {@code __u64}. */
    public Builder u64(String field, int count) {
      return add(field, Long.BYTES, count, Long.BYTES);
    }

    /** A struct in the struct. */
    public Builder struct(String field, Struct type) {
      return struct(field, type, 1);
    }

    /** An array of structs. */
    public Builder struct(String field, Struct type, int count) {
      return add(field, type.size(), count, type.alignment());
    }

    private Builder add(String field, int size, int count, int aligned) {
      int offset = roundUp(end, aligned);
      fields.add(new Field(field, offset, size * count));
      end = offset + size * count;
      alignment = Math.max(alignment, aligned);
      return this;
    }

    /** The struct of these fields. */
    public Struct build() {
      return new Struct(name, roundUp(end, alignment), alignment, fields);
    }

    private static int roundUp(int size, int multiple) {
      return (size + multiple - 1) / multiple * multiple;
    }
  }
}
