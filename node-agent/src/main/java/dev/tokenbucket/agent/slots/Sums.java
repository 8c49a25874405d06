// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.Struct;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Counters that the classifier keeps per CPU, to be summed over the CPUs.
 *
 * @param perCpu each CPU's value, in the host's byte order
 */
public record Sums(List<ByteBuffer> perCpu) {
  /**
   * The counters of one entry of a whole map.
   *
   * @param all the consecutive entries, each with one value per CPU
   * @param counters the struct of a value
   */
  public static Sums of(ByteBuffer all, int entry, Struct counters, int cpus) {
    return new Sums(
        IntStream.range(0, cpus).mapToObj(cpu -> counters.at(all, entry * cpus + cpu)).toList());
  }

  /** The counters of one entry that was read alone. */
  public static Sums of(List<byte[]> values) {
    return new Sums(
        values.stream()
            .map(value -> ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()))
            .toList());
  }

  /** The counters of one struct in a field that is an array of structs. */
  public Sums within(Field array, int index, Struct counters) {
    return new Sums(perCpu.stream().map(value -> counters.at(array.in(value), index)).toList());
  }

  public long of(Field counter) {
    return perCpu.stream().mapToLong(counter::getLong).sum();
  }
}
