// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Issue 5, "Exactness: Interleavings": the algorithm's steps in random orders and in all orders.
 * Each promise holds with every safeguard and is broken without any one of them, so that the search
 * is known to be strong enough.
 */
class InterleavingTest {
  private static final int RUNS = 6_000;
  private static final int RUNS_WITHOUT = 60_000;
  private static final int BURSTS = 1000;
  private static final int INTERRUPTIONS = 2;
  private static final Key KEY = new Key("one", 1, 1);
  private static final Key OTHER = new Key("other", 2, 1);
  private static final Set<Safeguard> NONE = EnumSet.noneOf(Safeguard.class);

  @ParameterizedTest
  @EnumSource
  void interleavingsKeepTheBounds(Form form) {
    for (int seed = 0; seed < RUNS; seed++) {
      assertThat(run(seed, form, NONE)).as("seed %d", seed).isEmpty();
    }
  }

  /** Those left out need more to come together: all orders find it. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"KEY_AFTER_POSITION", "KEY_INVALID_WHEN_FREE"})
  void interleavingsBreakABoundWithoutASafeguard(Safeguard safeguard) {
    for (int seed = 0; seed < RUNS_WITHOUT; seed++) {
      for (Form form : Form.values()) {
        if (safeguard.isOf(form) && run(seed, form, EnumSet.of(safeguard)).isPresent()) {
          return;
        }
      }
    }
    assertThat(RUNS_WITHOUT).as("runs without %s that break a bound", safeguard).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void aBurstAfterIdlingFindsAllOfBLessWhatIsHandedOut(Form form) {
    for (int seed = 0; seed < BURSTS; seed++) {
      Random random = new Random(seed);
      RandomRun.Burst burst = RandomRun.burst(random::nextInt, form);
      assertThat(burst.passed())
          .as("seed %d", seed)
          .isBetween(burst.depth() - burst.handedOut() - PACKET, burst.depth());
    }
  }

  private static Optional<String> run(long seed, Form form, Set<Safeguard> without) {
    Random random = new Random(seed);
    return RandomRun.violation(random::nextInt, form, without);
  }

  @Test
  void everyOrderOfPacketsAndARemovalKeepsTheBounds() {
    assertEveryOrder(
        InterleavingTest::packetsAndRemoval, Safeguard.COMPARE_AND_SWAP, Safeguard.MARK);
  }

  /** Two CPUs with two packets each, and a sweep that comes when the bucket is full. */
  private static AllOrders.Case packetsAndRemoval(Set<Safeguard> without) {
    Memory memory = memory(new Window(2 * PACKET, PACKET, 0), without);
    Choices first = n -> 0;
    Supplier<Step> packet = () -> new KeyedPacket(memory, first, KEY, PACKET).readHint();
    finish(packet);
    memory.now += 100_000;
    return new AllOrders.Case(
        List.of(
            List.of(packet, packet),
            List.of(packet, packet),
            List.of(() -> new Agent(memory).sweep(KEY))),
        memory.ledger::violation);
  }

  @Test
  void everyOrderOfPacketsAndAPlaceThatChangesItsKeyKeepsTheBounds() {
    assertEveryOrder(
        InterleavingTest::packetsAndAnotherKey,
        Safeguard.KEY_AFTER_POSITION,
        Safeguard.KEY_INVALID_WHEN_FREE);
  }

  /**
   * Two packets of a key that are held up anywhere while a sweep takes its bucket, another key gets
   * the place, and the key's other packets fill a bucket elsewhere.
   */
  private static AllOrders.Case packetsAndAnotherKey(Set<Safeguard> without) {
    Memory memory = memory(new Window(3 * PACKET, PACKET, 0), without);
    Supplier<Step> one = () -> new KeyedPacket(memory, n -> n - 1, KEY, PACKET).readHint();
    Supplier<Step> other = () -> new KeyedPacket(memory, n -> n - 1, OTHER, PACKET).readHint();
    finish(one);
    memory.now += 100_000;
    return new AllOrders.Case(
        List.of(
            List.of(one),
            List.of(one),
            List.of(() -> new Agent(memory).sweep(KEY), other, one, one, one)),
        memory.ledger::violation);
  }

  @Test
  void everyOrderOfPacketsAndAPacketThatTakesTheirPlaceKeepsTheBounds() {
    assertEveryOrder(InterleavingTest::packetsAndReplacement, Safeguard.MARK);
  }

  /**
   * Packets of a key whose bucket is full, and another key's packets that need its place; then the
   * first key comes back, and a sweep comes in between.
   */
  private static AllOrders.Case packetsAndReplacement(Set<Safeguard> without) {
    Memory memory = memory(1, new Window(2 * PACKET, PACKET, 0), without);
    Supplier<Step> one = () -> new KeyedPacket(memory, n -> 0, KEY, PACKET).readHint();
    Supplier<Step> other = () -> new KeyedPacket(memory, n -> 0, OTHER, PACKET).readHint();
    finish(one);
    memory.now += 100_000;
    return new AllOrders.Case(
        List.of(
            List.of(one, one, one),
            List.of(other, other, other),
            List.of(() -> new Agent(memory).sweep(KEY), one)),
        memory.ledger::violation);
  }

  private static void finish(Supplier<Step> packet) {
    Step next = packet.get();
    while (next != Step.END) {
      next = next.run();
    }
  }

  @Test
  void everyOrderOfPacketsWithReservationsKeepsTheBounds() {
    assertEveryOrder(
        InterleavingTest::reservations,
        Safeguard.COMPARE_AND_SWAP,
        Safeguard.WINDOW_NARROWED_BY_RESERVATIONS);
  }

  /** Two CPUs that both hold a reservation, then four packets each at a full bucket of four. */
  private static AllOrders.Case reservations(Set<Safeguard> without) {
    Memory memory = memory(new Window(4 * PACKET, PACKET, PACKET), without);
    finish(() -> new ReservingPacket(memory, 0, PACKET).readIndex());
    finish(() -> new ReservingPacket(memory, 1, PACKET).readIndex());
    memory.now += 100_000;
    Supplier<Step> one = () -> new ReservingPacket(memory, 0, PACKET).readIndex();
    Supplier<Step> other = () -> new ReservingPacket(memory, 1, PACKET).readIndex();
    return new AllOrders.Case(
        List.of(List.of(one, one, one, one), List.of(other, other, other, other)),
        memory.ledger::violation);
  }

  @Test
  void everyOrderOfPacketsAndAChangeKeepsTheBounds() {
    assertEveryOrder(
        InterleavingTest::packetsAndChange,
        Safeguard.COMPARE_AND_SWAP,
        Safeguard.SIGNED_TIME,
        Safeguard.PREPAID_HELD_TO_LINE);
  }

  /** B shrinks from eight to two, Q grows by ten; time passes at any moment. */
  private static AllOrders.Case packetsAndChange(Set<Safeguard> without) {
    Memory memory = memory(new Window(8 * PACKET, 4 * PACKET, 0), without);
    Supplier<Step> packet = () -> new KeyedPacket(memory, n -> 0, KEY, PACKET).readHint();
    finish(packet);
    memory.now += 100_000;
    Supplier<Step> change =
        () ->
            new Agent(memory)
                .change(Line.rate(10_000_000), new Window(2 * PACKET, PACKET, 0), 1000);
    return new AllOrders.Case(
        List.of(
            List.of(packet, packet, packet, packet),
            List.of(packet, packet),
            List.of(change),
            List.of(pause(memory, 800))),
        memory.ledger::violation);
  }

  @Test
  void everyOrderOfPacketsAndALateChangeKeepsTheBounds() {
    assertEveryOrder(
        InterleavingTest::packetsAndLateChange,
        Safeguard.LATE_PROPOSAL_WITHDRAWN,
        Safeguard.LATE_PROPOSAL_REFUSED);
  }

  /** Q grows by ten; time passes beyond the bend at any moment. */
  private static AllOrders.Case packetsAndLateChange(Set<Safeguard> without) {
    Window window = new Window(2 * PACKET, PACKET, 0);
    Memory memory = memory(window, without);
    Supplier<Step> packet = () -> new KeyedPacket(memory, n -> 0, KEY, PACKET).readHint();
    finish(packet);
    Supplier<Step> change = () -> new Agent(memory).change(Line.rate(10_000_000), window, 1000);
    return new AllOrders.Case(
        List.of(
            List.of(packet, packet),
            List.of(packet, packet),
            List.of(change),
            List.of(pause(memory, 1500))),
        memory.ledger::violation);
  }

  private static Supplier<Step> pause(Memory memory, long nanos) {
    return () -> {
      memory.now += nanos;
      return Step.END;
    };
  }

  private static Memory memory(Window window, Set<Safeguard> without) {
    return memory(Table.PLENTY, window, without);
  }

  private static Memory memory(int places, Window window, Set<Safeguard> without) {
    Axis axis = new Axis(Memory.V_START, Memory.START, 0, Line.rate(1_000_000));
    Memory memory = new Memory(2, places, new Line(axis, window), without);
    memory.now += 1_000_000;
    return memory;
  }

  private interface Cases {
    AllOrders.Case without(Set<Safeguard> without);
  }

  private static void assertEveryOrder(Cases cases, Safeguard... broken) {
    AllOrders all = new AllOrders(INTERRUPTIONS);
    assertThat(all.violation(() -> cases.without(NONE))).isEmpty();
    assertThat(all.orders()).isGreaterThan(1000);
    for (Safeguard safeguard : broken) {
      assertThat(new AllOrders(INTERRUPTIONS).violation(() -> cases.without(EnumSet.of(safeguard))))
          .as("without %s", safeguard)
          .isPresent();
    }
  }
}
