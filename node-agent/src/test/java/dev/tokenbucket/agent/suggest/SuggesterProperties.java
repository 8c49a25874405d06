// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.suggest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tokenbucket.agent.suggest.Suggester.Suggestion;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.Arrays;
import java.util.PriorityQueue;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Suggested limits refuse the wanted share, on the traffic that they were fitted to and on other
 * traffic.
 */
class SuggesterProperties {
  private static final long SECOND = 1_000_000_000L;

  private record Next(long at, int key) implements Comparable<Next> {
    @Override
    public int compareTo(Next other) {
      return Long.compare(at, other.at);
    }
  }

  /** Sources that are silent and send in bursts, each about as much as the others. */
  private static Trace bursty(Random random, int sources, int seconds) {
    PriorityQueue<Next> next = new PriorityQueue<>();
    for (int key = 0; key < sources; key++) {
      next.add(new Next((long) (random.nextDouble() * SECOND), key));
    }
    Trace trace = new Trace();
    // Keys are numbered in the order in which they come.
    int[] number = new int[sources];
    Arrays.fill(number, -1);
    int known = 0;
    while (true) {
      Next now = next.poll();
      if (now == null || now.at() > seconds * SECOND) {
        return trace;
      }
      if (number[now.key()] < 0) {
        number[now.key()] = known++;
      }
      trace.add(now.at(), number[now.key()], 1);
      double gap = random.nextInt(20) == 0 ? 0.5 : 0.005;
      next.add(
          new Next(
              now.at() + (long) (-Math.log(1 - random.nextDouble()) * gap * SECOND), now.key()));
    }
  }

  @Property(tries = 20)
  void theLowestRateThatRefusesNoMoreIsFound(
      @ForAll long seed,
      @ForAll @IntRange(min = 2, max = 300) int permille,
      @ForAll @IntRange(min = 1, max = 20) int sources) {
    Trace trace = bursty(new Random(seed), sources, 50);
    double share = permille / 1_000.0;
    Suggester suggester = new Suggester(RateUnit.Packets, share, 0.1);
    Limit limit = suggester.fit(trace, 0, trace.size());

    assertThat(limit.on(trace, 0, trace.size()).share()).isLessThanOrEqualTo(share);
    if (limit.rate() > 1) {
      Limit lower = new Limit(limit.rate() - 1, Math.max(10, (limit.rate() + 8) / 10));
      assertThat(lower.on(trace, 0, trace.size()).share()).isGreaterThan(share);
    }
  }

  /** On held-out traffic of 20 generators, the result is within a tenth of the prediction. */
  @Example
  void whatIsPredictedComesTrueOnHeldOutTraffic() {
    for (int seed = 0; seed < 20; seed++) {
      Suggestion suggestion =
          new Suggester(RateUnit.Packets, 0.1, 0.1).suggest(bursty(new Random(seed), 40, 400));

      assertThat(suggestion.heldOut().share()).as("seed %d", seed).isCloseTo(0.1, within(0.01));
      assertThat(suggestion.half().share()).isGreaterThan(suggestion.outcome().share());
      assertThat(suggestion.twice().share()).isLessThan(suggestion.outcome().share());
    }
  }

  @Example
  void aRateThatEverybodyKeepsWithinRefusesNothing() {
    Trace trace = new Trace();
    for (int i = 0; i < 10_000; i++) {
      trace.add(i * SECOND / 100, 0, 1_000);
    }
    Limit limit = new Suggester(RateUnit.Bits, 0, 0.1).fit(trace, 0, trace.size());

    assertThat(limit.on(trace, 0, trace.size()).refused()).isZero();
    // 100 packets of 1,000 bytes per second, less what the burst lends over 100 s.
    assertThat(limit.rate()).isBetween(99_000L, 100_000L);
  }
}
