// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import static dev.tokenbucket.agent.model.Line.PACKET;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * What has happened in a run, and whether it is within what is promised. A moment is a time and a
 * number, since much can happen at one time.
 */
final class Ledger {
  /** What rounding V to even units may add, more where a line begins in a rounded v0. */
  private static final long ROUNDING = 2;

  private static final long ROUNDING_OF_A_BEND = 3;

  record Moment(long number, long time) {}

  /**
   * @param at when the packet takes effect by the promise: at its clock reading, else at its
   *     compare-and-swap
   * @param decided when it read the last that decided its verdict: clock, else parameters
   * @param burst the B that the packet read together with the clock, or 0
   * @param excess by how much the packet is dearer than the window: it passes a full bucket
   */
  private record Conformed(
      String bucket, Moment decided, Moment at, long cost, long burst, long excess) {}

  private record Exceeded(String bucket, Moment at, long cost) {}

  private record Flip(long number, Line line) {}

  private final List<Conformed> conformed = new ArrayList<>();
  private final List<Exceeded> exceeded = new ArrayList<>();
  private final List<Long> forgotten = new ArrayList<>();
  private final List<Flip> flips = new ArrayList<>();
  private boolean removed;
  private long number;

  Ledger(Line first) {
    flips.add(new Flip(0, first));
  }

  Moment at(long time) {
    return new Moment(++number, time);
  }

  /** A packet without a look at the clock. */
  void conform(String bucket, Moment decided, Moment at, long cost) {
    conformed.add(new Conformed(bucket, decided, at, cost, 0, 0));
  }

  /** A packet that has read the clock, and then this B. */
  void conform(String bucket, Moment at, long cost, long burst, long width) {
    conformed.add(new Conformed(bucket, at, at, cost, burst, Math.max(0, cost - width)));
  }

  void exceed(String bucket, Moment at, long cost) {
    exceeded.add(new Exceeded(bucket, at, cost));
  }

  /** Tokens beyond B were forgotten, as they should: a bucket was full. */
  void forgot() {
    forgotten.add(++number);
  }

  void removed() {
    removed = true;
  }

  void flipped(Line line) {
    flips.add(new Flip(++number, line));
  }

  int changes() {
    return flips.size() - 1;
  }

  /** Tokens of a bucket that passed since a moment. */
  long conformedSince(String bucket, Moment since) {
    return conformed.stream()
        .filter(packet -> packet.bucket().equals(bucket))
        .filter(packet -> packet.at().number() >= since.number())
        .mapToLong(Conformed::cost)
        .sum();
  }

  /** What was granted by a time, by the lines as their t0 come. */
  private long granted(long time) {
    Line line = flips.get(0).line();
    for (Flip flip : flips) {
      if (flip.line().axis().t0() - time <= 0) {
        line = flip.line();
      }
    }
    return line.axis().valueAt(time, true);
  }

  private long rounding() {
    return ROUNDING + (flips.size() > 1 ? ROUNDING_OF_A_BEND : 0);
  }

  /** The first promise that is broken, in words. */
  Optional<String> violation() {
    return Stream.of("one", "other", Memory.SHARED)
        .flatMap(
            bucket ->
                overrun(bucket, Conformed::at, Conformed::cost)
                    .or(() -> overrun(bucket, Conformed::decided, this::allowed))
                    .or(() -> shortfall(bucket))
                    .stream())
        .findFirst();
  }

  /**
   * No interval lets more through than B plus the integral of Q, plus one packet; B is the largest
   * in force in the interval. By the moments of decision it is less than one packet: {@link
   * #allowed}.
   */
  private Optional<String> overrun(
      String bucket, Function<Conformed, Moment> moment, ToLongFunction<Conformed> slack) {
    List<Conformed> packets =
        conformed.stream()
            .filter(packet -> packet.bucket().equals(bucket))
            .sorted(Comparator.comparing(packet -> moment.apply(packet).number()))
            .toList();
    for (int first = 0; first < packets.size(); first++) {
      Moment from = moment.apply(packets.get(first));
      long granted = granted(from.time());
      int flip = inForce(from.number());
      long burst = flips.get(flip).line().window().burst();
      long passed = 0;
      long allowed = 0;
      for (int last = first; last < packets.size(); last++) {
        Conformed packet = packets.get(last);
        Moment to = moment.apply(packet);
        while (flip + 1 < flips.size() && flips.get(flip + 1).number() < to.number()) {
          burst = Math.max(burst, flips.get(++flip).line().window().burst());
        }
        burst = Math.max(burst, packet.burst());
        passed += packet.cost();
        allowed = Math.max(allowed, slack.applyAsLong(packet));
        long bound = burst + granted(to.time()) - granted + allowed + rounding();
        if (passed > bound) {
          return Optional.of(
              "%s: %.3f packets from %s to %s, at most %.3f may pass"
                  .formatted(bucket, inPackets(passed), from, to, inPackets(bound)));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * The excess of a super-packet. After the removal of a bucket, one whole packet: a late one may
   * find the position that it read in a new bucket of its key, which was made at an old clock
   * reading.
   */
  private long allowed(Conformed packet) {
    return removed ? packet.cost() : packet.excess();
  }

  private int inForce(long moment) {
    int flip = 0;
    while (flip + 1 < flips.size() && flips.get(flip + 1).number() < moment) {
      flip++;
    }
    return flip;
  }

  /**
   * Between two packets that exceed no less passes than the integral of Q, less the last one and
   * what a super-packet or the CPUs took in advance, unless the bucket was full in between.
   */
  private Optional<String> shortfall(String bucket) {
    List<Exceeded> refused =
        exceeded.stream()
            .filter(packet -> packet.bucket().equals(bucket))
            .sorted(Comparator.comparing(packet -> packet.at().number()))
            .toList();
    for (int i = 0; i + 1 < refused.size(); i++) {
      Moment from = refused.get(i).at();
      for (int j = i + 1; j < refused.size(); j++) {
        Moment to = refused.get(j).at();
        if (forgotten.stream().anyMatch(n -> n > from.number() && n < to.number())) {
          break;
        }
        long promised =
            granted(to.time()) - granted(from.time()) - 2 * largest() - advances() - rounding();
        long passed = passed(bucket, from, to);
        if (passed < promised) {
          return Optional.of(
              "%s: %.3f packets from %s to %s, at least %.3f are promised"
                  .formatted(bucket, inPackets(passed), from, to, inPackets(promised)));
        }
      }
    }
    return Optional.empty();
  }

  private long passed(String bucket, Moment from, Moment to) {
    return conformed.stream()
        .filter(packet -> packet.bucket().equals(bucket))
        .filter(packet -> packet.at().number() > from.number())
        .filter(packet -> packet.at().number() < to.number())
        .mapToLong(Conformed::cost)
        .sum();
  }

  private long largest() {
    long largest = PACKET;
    for (Conformed packet : conformed) {
      largest = Math.max(largest, packet.cost());
    }
    for (Exceeded packet : exceeded) {
      largest = Math.max(largest, packet.cost());
    }
    return largest;
  }

  /** What CPUs can hold of the bucket at most; the reservations are at most B/2 in all. */
  private long advances() {
    return flips.stream()
        .map(flip -> flip.line().window())
        .mapToLong(window -> window.reserve() == 0 ? 0 : window.burst() / 2)
        .max()
        .orElseThrow();
  }

  private static double inPackets(long units) {
    return (double) units / PACKET;
  }
}
