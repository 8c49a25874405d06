package dev.tokenbucket.agent.program;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Counters that the classifier keeps a CPU. */
final class Sums {
  private Sums() {}

  /** Field by field, over the CPUs. */
  static long[] of(List<byte[]> values, int fields) {
    long[] sums = new long[fields];
    for (byte[] value : values) {
      ByteBuffer from = ByteBuffer.wrap(value).order(ByteOrder.nativeOrder());
      for (int i = 0; i < fields; i++) {
        sums[i] += from.getLong();
      }
    }
    return sums;
  }
}
