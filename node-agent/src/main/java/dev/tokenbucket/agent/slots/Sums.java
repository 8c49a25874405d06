package dev.tokenbucket.agent.slots;

import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.Struct;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Counters that the classifier keeps a CPU, to be summed over the CPUs.
 *
 * @param perCpu each CPU's, in the host's byte order
 */
public record Sums(List<ByteBuffer> perCpu) {
  /**
   * Of one entry among all of a map.
   *
   * @param all the entries one behind the other, each a value a CPU
   * @param counters what a value is
   */
  public static Sums of(ByteBuffer all, int entry, Struct counters, int cpus) {
    return new Sums(
        IntStream.range(0, cpus).mapToObj(cpu -> counters.at(all, entry * cpus + cpu)).toList());
  }

  /** Of one entry, as it was read alone. */
  public static Sums of(List<byte[]> values) {
    return new Sums(
        values.stream()
            .map(value -> ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()))
            .toList());
  }

  /** Of one of the structs of which a field is an array. */
  public Sums within(Field array, int index, Struct counters) {
    return new Sums(perCpu.stream().map(value -> counters.at(array.in(value), index)).toList());
  }

  public long of(Field counter) {
    return perCpu.stream().mapToLong(counter::getLong).sum();
  }
}
