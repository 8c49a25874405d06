// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;

import dev.tokenbucket.agent.model.Line.Axis;
import dev.tokenbucket.agent.model.Line.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Packets on several CPUs, sweeps and changes, in an order that choices make. Time stands still for
 * bursts, creeps, and leaps; a process is mostly let go on, and now and then stalls wherever it is.
 */
final class RandomRun {
  private static final int STEPS = 600;
  private static final int STEPS_OF_A_BURST = 3000;
  private static final int MAX_CPUS = 4;
  private static final int[] RATES = {100_000, 1_000_000, 10_000_000};
  private static final Key ONE = new Key("one", 1, 1);
  private static final long MAX_LEAD = 4 * PACKET;

  private final Choices choices;
  private final Form form;
  private final Memory memory;
  private final Agent agent;
  private final Set<Safeguard> without;
  private final int divisor;
  private final boolean changes;
  private final boolean sweeps;
  private final int leaps;
  private final int stalls;
  private final int weakStep;
  private final List<Actor> actors = new ArrayList<>();
  private List<Key> keys;
  private boolean superPackets;
  private int calm;

  /** A CPU's packets, or the agent's work, one after the other. */
  private static final class Actor {
    private final Supplier<Step> begin;
    private final Runnable end;
    private Step next = Step.END;
    private int taken;
    private int stalledFor;

    Actor(Supplier<Step> begin, Runnable end) {
      this.begin = begin;
      this.end = end;
    }

    void step() {
      taken = next == Step.END ? 0 : taken + 1;
      next = next == Step.END ? begin.get() : next.run();
      if (next == Step.END) {
        end.run();
      }
    }
  }

  private RandomRun(Choices choices, int places, Form form, Set<Safeguard> without) {
    this.choices = choices;
    this.form = form;
    this.without = without;
    divisor = choices.between(2, 6);
    int cpus = choices.between(1, MAX_CPUS);
    Window window = window(cpus);
    Axis axis = new Axis(Memory.V_START, Memory.START, 0, rate());
    memory = new Memory(cpus, places, new Line(axis, window), without);
    agent = new Agent(memory);
    keys = keys(choices.below(3));
    superPackets = choices.onceIn(4);
    changes = choices.onceIn(2);
    sweeps = form == Form.KEYED && choices.onceIn(2);
    leaps = choices.between(20, 100);
    stalls = choices.between(10, 60);
    weakStep = choices.below(20);
    for (int i = 0; i < cpus; i++) {
      int cpu = i;
      actors.add(new Actor(() -> packet(cpu), () -> memory.ended[cpu]++));
    }
    actors.add(new Actor(this::work, () -> {}));
  }

  /** The first promise that a run breaks, in words. */
  static Optional<String> violation(Choices choices, Form form, Set<Safeguard> without) {
    int places = choices.between(1, Table.PLENTY);
    RandomRun run = new RandomRun(choices, places, form, without);
    run.steps();
    return run.memory.ledger.violation();
  }

  /**
   * What passes at one moment after a run and a long idle time.
   *
   * @param handedOut what a burst may not find of B: what is prepaid; or what CPUs can hold, twice,
   *     since they may have held nothing at its beginning and hold all they can at its end
   */
  record Burst(long passed, long depth, long handedOut) {}

  static Burst burst(Choices choices, Form form) {
    RandomRun run = new RandomRun(choices, Table.PLENTY, form, Set.of());
    run.steps();
    run.finish();
    run.superPackets = false;
    run.keys = List.of(ONE);
    Line line = run.memory.inForce();
    run.memory.now = Math.max(run.memory.now, line.axis().t0()) + nanos(line, 100 * PACKET);
    Ledger.Moment since = run.memory.ledger.at(run.memory.now);
    for (int i = 0; i < STEPS_OF_A_BURST; i++) {
      run.actors.get(choices.below(run.memory.cpus)).step();
    }
    run.finish();
    Window window = line.window();
    long handedOut = window.batch() - PACKET + 2L * run.memory.cpus * window.reserve();
    String bucket = form == Form.KEYED ? ONE.name() : Memory.SHARED;
    return new Burst(run.memory.ledger.conformedSince(bucket, since), window.burst(), handedOut);
  }

  /** Lets all end what they have begun; the agent may have to wait for a bend. */
  private void finish() {
    while (actors.stream().anyMatch(actor -> actor.next != Step.END)) {
      memory.now += actors.get(memory.cpus).next == Step.END ? 0 : 1000;
      actors.stream().filter(actor -> actor.next != Step.END).forEach(Actor::step);
    }
  }

  private void steps() {
    Actor actor = actors.get(0);
    for (int i = 0; i < STEPS; i++) {
      memory.now += gap();
      if (actor.stalledFor > 0 || choices.onceIn(4)) {
        actor = actors.get(choices.below(actors.size()));
      }
      if (actor.stalledFor == 0) {
        actor.step();
        actor.stalledFor = stall(actor);
      }
      actors.forEach(each -> each.stalledFor = Math.max(0, each.stalledFor - 1));
    }
  }

  /**
   * Anywhere now and then, and often at one step, the same for all: so that several stall there.
   */
  private int stall(Actor actor) {
    if (actor.taken == weakStep && choices.onceIn(3)) {
      return choices.below(300);
    }
    return choices.onceIn(stalls) ? choices.below(40) : 0;
  }

  /** Mostly none, sometimes of the order of a token's time; rarely that of B tokens, then none. */
  private long gap() {
    Line line = memory.inForce();
    if (calm-- > 0) {
      return 0;
    }
    if (choices.onceIn(leaps)) {
      calm = choices.below(80);
      return choices.below((int) (2 * nanos(line, line.window().burst())));
    }
    return choices.onceIn(6) ? choices.below((int) nanos(line, PACKET)) : 0;
  }

  private static long nanos(Line line, long tokens) {
    return (tokens << Line.FRACTION) / line.axis().rate() + 1;
  }

  private Step packet(int cpu) {
    memory.begun[cpu]++;
    return switch (form) {
      case KEYED -> new KeyedPacket(memory, choices, key(), cost()).readHint();
      case RESERVING -> new ReservingPacket(memory, cpu, cost()).readIndex();
    };
  }

  private long cost() {
    if (!superPackets || choices.below(10) > 0) {
      return PACKET;
    }
    return PACKET + 2L * choices.below((int) (4 * PACKET));
  }

  private Step work() {
    if (changes && choices.below(3) > 0) {
      long lead = choices.between(1, (int) nanos(memory.inForce(), MAX_LEAD));
      return agent.change(rate(), window(memory.cpus), lead);
    }
    return sweeps ? agent.sweep(key()) : Step.END;
  }

  /** One, or two that differ in their first or in their last word. */
  private static List<Key> keys(int kind) {
    return switch (kind) {
      case 0 -> List.of(ONE);
      case 1 -> List.of(ONE, new Key("other", 2, 1));
      default -> List.of(ONE, new Key("other", 1, 2));
    };
  }

  private Key key() {
    return keys.get(choices.below(keys.size()));
  }

  private long rate() {
    return Line.rate(RATES[choices.below(RATES.length)]);
  }

  private Window window(int cpus) {
    long burst = choices.between(1, 16) * PACKET;
    long share = burst / divisor;
    if (without.contains(Safeguard.SHARE_FOLLOWS_BURST)) {
      share = choices.between(0, (int) (burst / 2));
    }
    return form == Form.KEYED
        ? new Window(burst, Math.max(PACKET, even(share)), 0)
        : new Window(burst, PACKET, even(share / cpus));
  }

  private static long even(long units) {
    return units & ~1L;
  }
}
