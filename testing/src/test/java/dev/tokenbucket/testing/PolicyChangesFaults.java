package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Very many changes, of all kinds, leave the agent and the kernel as large as they were. */
class PolicyChangesFaults extends HostTest {
  private static final int CHANGES = Integer.getInteger("faults.changes", 1_000);

  /** By then classes are loaded and the heap has its size. */
  private static final int WARM_UP = CHANGES / 5;

  /** Of memory outside of the heap a leak of 20 KiB a change would be as much. */
  private static final long GROWTH_KIB = 16 * 1024;

  private static final Duration IN_FORCE = Duration.ofSeconds(60);

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
    Poll.until(
        "descriptors and kernel objects as before",
        Duration.ofSeconds(60),
        () -> {
          Size now = size(pid);
          return now.descriptors().equals(before.descriptors())
              && now.kernel().equals(before.kernel());
        },
        () -> before + " became " + size(pid));
    Size after = size(pid);
    System.out.printf("%d changes: %s became %s%n", CHANGES, before, after);
    assertThat(agent.pid()).isEqualTo(pid);
    assertThat(after.memory()).as("resident KiB").isLessThan(before.memory() + GROWTH_KIB);
  }

  /** A change of each kind; the marker tells when it is in force. */
  private void turnTo(int turn) throws IOException {
    String marker = "marker-" + turn;
    String on =
        switch (turn % 4) {
          case 0 -> "eth0";
          case 1 -> "ex0";
          case 2 -> "ex1";
          default -> "e*";
        };
    String selector = turn % 4 == 3 ? "{pattern: '" + on + "'}" : "{name: " + on + "}";
    String set =
        policy(
                "steady",
                "rate: {packetsPerSecond: %d}, burst: {packets: %d}"
                    .formatted(1_000 + turn % 7, 100 + turn % 5))
            + policy(
                "table",
                "bucket: {per: SourceIP, capacity: %d}, rate: {packetsPerSecond: 1000}"
                    .formatted(turn % 3 == 0 ? 100 : 200))
            + policy(
                marker,
                "direction: Egress, rate: {packetsPerSecond: 1000}, interfaces: [%s]"
                    .formatted(selector));
    if (turn % 5 == 1) {
      set += policy("sometimes", "bucket: {per: Flow, capacity: 50}, rate: {bitsPerSecond: 1M}");
    }
    int heard = write(set);
    agent.await(
        marker + " in force",
        IN_FORCE,
        () -> agent.log().indexOf("programmed " + marker + " ", heard) >= 0);
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

  /** Of kernel objects and the like their kind, of all else that it has a path. */
  private static String kind(Path descriptor) {
    try {
      String of = Files.readSymbolicLink(descriptor).toString();
      return of.startsWith("/") ? "file" : of.replaceFirst("^(socket|pipe):.*", "$1");
    } catch (IOException e) {
      return "closed";
    }
  }
}
