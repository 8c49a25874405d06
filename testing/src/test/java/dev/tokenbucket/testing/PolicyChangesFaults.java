// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Very many changes, of all kinds, leave the agent and the kernel as large as they were. */
class PolicyChangesFaults extends HostTest {
  private static final int CHANGES = Integer.getInteger("faults.changes", 1_000);

  /** After this many changes classes are loaded and the heap has its size. */
  private static final int WARM_UP = CHANGES / 5;

  /** The growth that a leak of 20 KiB per change would cause outside of the heap. */
  private static final long GROWTH_KIB = 16 * 1024;

  private static final Duration IN_FORCE = Duration.ofSeconds(60);

  private static final List<String> SELECTORS =
      List.of("{name: eth0}", "{name: ex0}", "{name: ex1}", "{pattern: 'e*'}");

  /**
   * What grows where something leaks.
   *
   * @param descriptors of the agent, by what they are of
   * @param kernel objects, by type
   * @param memory of the agent that is resident, in KiB
   */
  private record Size(Map<String, Integer> descriptors, Map<String, Integer> kernel, long memory) {}

  @Test
  void manyChangesLeakNothing() throws IOException {
    atHostRun("ip", "link", "add", "ex0", "type", "veth", "peer", "name", "ex1");
    long pid = agent.pid();
    int turn = 0;
    for (; turn < WARM_UP; turn++) {
      turnTo(turn);
    }
    turnTo(0);
    Size before = size(pid);
    for (; turn < CHANGES; turn++) {
      turnTo(turn);
    }
    turnTo(0);
    // The kernel frees some later, and so it may have been before.
    Poll.until(
        "no more descriptors and kernel objects than before",
        Duration.ofSeconds(60),
        () -> {
          Size now = size(pid);
          return isNoMore(now.descriptors(), before.descriptors())
              && isNoMore(now.kernel(), before.kernel());
        },
        () -> before + " became " + size(pid));
    Size after = size(pid);
    System.out.printf("%d changes: %s became %s%n", CHANGES, before, after);
    assertThat(agent.pid()).isEqualTo(pid);
    assertThat(after.memory()).as("resident KiB").isLessThan(before.memory() + GROWTH_KIB);
  }

  private static boolean isNoMore(Map<String, Integer> now, Map<String, Integer> before) {
    return now.entrySet().stream()
        .allMatch(each -> each.getValue() <= before.getOrDefault(each.getKey(), 0));
  }

  /**
   * Each turn has another rate and burst, some have another table, a policy more or less, or other
   * interfaces. The rate tells when it is in force.
   */
  private void turnTo(int turn) throws IOException {
    int rate = 1_000 + turn;
    String set =
        policy(
                "steady",
                "rate: {packetsPerSecond: %d}, burst: {packets: %d}"
                    .formatted(rate, 100 + turn % 5))
            + policy(
                "table",
                "bucket: {per: SourceIP, capacity: %d}, rate: {packetsPerSecond: 5000}"
                    .formatted(100 + turn / 5 % 2))
            + policy(
                "moving",
                "direction: Egress, rate: {packetsPerSecond: 5000}, interfaces: [%s]"
                    .formatted(SELECTORS.get(turn / 4 % SELECTORS.size())))
            + policy("named-" + turn / 10, "rate: {packetsPerSecond: 5000}");
    if (turn / 7 % 2 == 1) {
      set += policy("sometimes", "bucket: {per: Flow, capacity: 50}, rate: {bitsPerSecond: 1M}");
    }
    int heard = write(set);
    Pattern inForce =
        Pattern.compile("programmed steady generation \\d+: " + RateUnit.Packets.rateText(rate));
    agent.await(
        "rate " + rate, IN_FORCE, () -> inForce.matcher(agent.log().substring(heard)).find());
  }

  private static Size size(long pid) {
    Map<String, Integer> descriptors = new TreeMap<>();
    Path process = Path.of("/proc/" + pid);
    try (Stream<Path> all = Files.list(process.resolve("fd"))) {
      for (Path each : all.toList()) {
        descriptors.merge(kind(each), 1, Integer::sum);
      }
      descriptors.remove("closed");
      long resident =
          Files.readAllLines(process.resolve("status")).stream()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElseThrow();
      Map<String, Integer> kernel = new TreeMap<>();
      KernelObjects.now()
          .objects()
          .forEach(each -> kernel.merge(each.substring(0, each.indexOf(' ')), 1, Integer::sum));
      return new Size(descriptors, kernel, resident);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The kind of a kernel object, or "file" for a descriptor with a path. */
  private static String kind(Path descriptor) {
    try {
      String of = Files.readSymbolicLink(descriptor).toString();
      return of.startsWith("/") ? "file" : of.replaceFirst("^(socket|pipe):.*", "$1");
    } catch (IOException e) {
      return "closed";
    }
  }
}
