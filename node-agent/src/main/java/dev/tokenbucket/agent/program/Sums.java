package dev.tokenbucket.agent.program;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Counters that the classifier keeps a CPU. */
final class Sums {
  private Sums() {}

  /**
   * Field by field, over the CPUs, of one entry among all of a map.
   *
   * @param valueSize bytes of the entry's value of one CPU
   */
  static long[] of(ByteBuffer all, int entry, int valueSize, int cpus, int fields) {
    long[] sums = new long[fields];
    for (int cpu = 0; cpu < cpus; cpu++) {
      int at = (entry * cpus + cpu) * valueSize;
      for (int i = 0; i < fields; i++) {
        sums[i] += all.getLong(at + i * Long.BYTES);
      }
    }
    return sums;
  }

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
