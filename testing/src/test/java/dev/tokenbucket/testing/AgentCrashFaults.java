// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.FaultyHost.Objects;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * System calls of a running agent end it or fail, one after the other, on a host with TCX and on
 * one with clsact filters. The set changes each time. In the end the kernel holds the same objects
 * as without the fault.
 */
@ExtendWith(RequiresRoot.class)
class AgentCrashFaults {
  /** The time of each test per host; points beyond that time are not tried. */
  private static final Duration MOST = Duration.ofMinutes(Integer.getInteger("faults.minutes", 3));

  /** The first point that is tried; a run continues where another one had no more time. */
  private static final int FIRST = Integer.getInteger("faults.from", 0);

  /** The calls by which libbpf and the agent's dumps talk to rtnetlink. */
  private static final List<String> NETLINK = List.of("sendto", "sendmsg");

  /** After this many calls libbpf has probed the kernel's features. */
  private static final int MOST_OF_A_FIRST_LOAD = 40;

  private static final List<String> ERRORS = List.of("ENOMEM", "ENOSPC", "EPERM");

  @TempDir Path work;
  private TestNetwork network;
  private KernelObjects before;

  @BeforeEach
  void makeHosts() {
    before = KernelObjects.now();
    network = TestNetwork.of(2, work);
  }

  @AfterEach
  void removeThem() {
    network.close();
  }

  private FaultyHost faultyHost(TestHost host) {
    Path folder = work.resolve("faulty-" + host.name());
    return host.name().endsWith("1")
        ? new FaultyHost(host, folder, "--compile=never")
        : new FaultyHost(host, folder, "--compile=never", "--clsact");
  }

  /**
   * What is injected at which call.
   *
   * @param set that follows on the one before it, as the call is made
   */
  private record Point(int set, String call, int number) {
    int before() {
      return Math.floorMod(set - 1, FaultyHost.SETS.size());
    }
  }

  private static List<String> calls() {
    return Stream.concat(Injection.CALLS.stream(), NETLINK.stream()).toList();
  }

  /** Each call that changes something, of each change from one set to the next. */
  private static List<Point> points(FaultyHost host, List<Objects> references) {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < FaultyHost.SETS.size(); i++) {
      int set = i;
      host.changesOf(set, calls(), references)
          .forEach(
              (call, numbers) ->
                  numbers.forEach(number -> points.add(new Point(set, call, number))));
    }
    // Shuffled, so that the calls without time left are of each kind. The order is the same in
    // each run, whatever their number.
    points.sort(Comparator.comparingInt(point -> mixed(point.set(), point.call(), point.number())));
    return points.subList(Math.min(FIRST, points.size() - 1), points.size());
  }

  private static int mixed(int set, String call, int number) {
    return List.of(set, call, number).hashCode() * 0x9e3779b9;
  }

  private void onEachHost(BiConsumer<FaultyHost, List<Objects>> test) {
    InParallel.forEach(
        network.hosts(),
        2,
        host -> {
          FaultyHost faulty = faultyHost(host);
          try {
            List<Objects> references = faulty.references();
            test.accept(faulty, references);
            faulty.write("");
            faulty.awaitObjects("in the end", FaultyHost.NOTHING);
          } finally {
            faulty.agent().close();
          }
        });
    assertThat(KernelObjects.awaitNothingBeyond(before)).isEmpty();
  }

  @Test
  void anAgentKilledAtAnyCallLeavesNothingThatItsSuccessorDoesNotPutRight() {
    onEachHost(this::killAtEachCall);
  }

  private void killAtEachCall(FaultyHost host, List<Objects> references) {
    List<Point> points = points(host, references);
    long end = System.nanoTime() + MOST.toNanos();
    int killed = 0;
    int done = 0;
    host.settle(points.get(0).before(), references);
    for (; done < points.size() && System.nanoTime() < end; done++) {
      Point point = points.get(done);
      String inject = Injection.killAt(point.call(), point.number());
      try (Injection injection = host.inject(List.of(point.call()), inject)) {
        assertThat(injection).isNotNull();
        host.write(FaultyHost.SETS.get(point.set()));
        killed += awaitEnd(host, references.get(point.set())) ? 1 : 0;
      }
      host.agent().close();
      int next = done + 1 < points.size() ? points.get(done + 1).before() : 0;
      host.write(FaultyHost.SETS.get(next));
      host.startAgent();
      host.awaitObjects("killed at " + point, references.get(next));
    }
    System.out.printf(
        "%s: killed at %d of %d points that were tried, of %d%n",
        host.name(), killed, done, points.size());
    // A change does not always make the same number of calls. With fewer calls, the agent outlives
    // the point.
    assertThat(killed).isGreaterThan(done / 4);
  }

  /** Whether the agent has ended before the set was in force, within twice the time of a change. */
  private static boolean awaitEnd(FaultyHost host, Objects wanted) {
    long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    while (host.agent().isAlive() && System.nanoTime() < end && !host.hasPins(wanted)) {
      Daemon.pause(Duration.ofMillis(20));
    }
    Daemon.pause(Duration.ofMillis(20));
    return !host.agent().isAlive();
  }

  @Test
  void whatFailsAtAnyCallIsSaidAndDoneOnceTheFaultIsGone() {
    onEachHost(this::failEachCall);
  }

  private void failEachCall(FaultyHost host, List<Objects> references) {
    List<Point> points = points(host, references);
    long agent = host.agent().pid();
    long end = System.nanoTime() + MOST.toNanos();
    int done = 0;
    int said = 0;
    for (; done < points.size() && System.nanoTime() < end; done++) {
      Point point = points.get(done);
      host.settle(point.before(), references);
      // One call, or each call from this one on, until strace ends.
      String error = ERRORS.get(done % ERRORS.size());
      String inject =
          "%s:error=%s:when=%d%s"
              .formatted(point.call(), error, point.number(), done % 2 == 0 ? "" : "+");
      int heard = host.agent().log().length();
      try (Injection injection = host.inject(List.of(point.call()), inject)) {
        host.write(FaultyHost.SETS.get(point.set()));
        said += awaitSaidOrDone(host, heard, references.get(point.set())) ? 1 : 0;
        assertThat(injection).isNotNull();
      }
      host.awaitObjects("failed " + inject, references.get(point.set()));
      assertThat(host.agent().isAlive()).as(inject).isTrue();
      assertThat(host.agent().pid()).as(inject).isEqualTo(agent);
    }
    System.out.printf(
        "%s: %d of %d points failed, %d times it was said%n",
        host.name(), done, points.size(), said);
    assertThat(said).isPositive();
  }

  /** libbpf asks the kernel for its features once in the life of a process. */
  @Test
  void whatFailsAtTheFirstLoadOfAnAgentIsDoneOnceTheFaultIsGone() {
    onEachHost(this::failEachCallOfTheFirstLoad);
  }

  private void failEachCallOfTheFirstLoad(FaultyHost host, List<Objects> references) {
    long end = System.nanoTime() + MOST.toNanos();
    int first = host.name().startsWith("node-1") ? 1 : 2;
    int done = 0;
    for (int n = first; n <= MOST_OF_A_FIRST_LOAD && System.nanoTime() < end; n += 2) {
      host.agent().close();
      host.startAgent();
      try (Injection injection = host.inject(List.of("bpf"), "bpf:error=ENOMEM:when=" + n)) {
        assertThat(injection).isNotNull();
        host.write(FaultyHost.SETS.get(0));
        host.awaitObjects("its call %d of bpf() failed".formatted(n), references.get(0));
      }
      host.write("");
      host.awaitObjects("after that", FaultyHost.NOTHING);
      done++;
    }
    System.out.printf("%s: the first load failed %d times%n", host.name(), done);
    assertThat(done).isPositive();
  }

  /** Whether the log reports a failed step. The agent may have repeated the step at once. */
  private static boolean awaitSaidOrDone(FaultyHost host, int heard, Objects wanted) {
    long end = System.nanoTime() + Duration.ofSeconds(6).toNanos();
    while (System.nanoTime() < end) {
      if (host.agent().log().indexOf("not programmed", heard) >= 0) {
        return true;
      }
      if (host.hasPins(wanted)) {
        return false;
      }
      Daemon.pause(Duration.ofMillis(50));
    }
    return false;
  }
}
