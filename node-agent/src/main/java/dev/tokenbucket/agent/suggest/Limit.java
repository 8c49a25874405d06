// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.suggest;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A rate and a burst that apply to each key separately.
 *
 * @param rate tokens per second
 * @param burst tokens
 */
public record Limit(long rate, long burst) {
  private static final double SECOND = 1e9;

  /**
   * The effect of a limit on packets.
   *
   * @param packets judged packets
   * @param refused refused packets
   * @param keys keys that had a packet refused
   */
  public record Outcome(long packets, long refused, int keys) {
    /** The refused share of all packets, from 0 to 1. */
    public double share() {
      return packets == 0 ? 0 : refused / (double) packets;
    }
  }

  /**
   * The limit's effect on packets of a trace, with each key's bucket full at the key's first
   * packet.
   */
  public Outcome on(Trace trace, int from, int to) {
    double full = (double) burst;
    double[] tokens = new double[trace.keyCount()];
    long[] seen = new long[trace.keyCount()];
    Arrays.fill(tokens, full);
    BitSet limited = new BitSet();
    long refused = 0;
    for (int i = from; i < to; i++) {
      int key = trace.key(i);
      long now = Math.max(trace.nanos(i), seen[key]);
      double held = Math.min(full, tokens[key] + rate * ((now - seen[key]) / SECOND));
      seen[key] = now;
      if (held < Math.min(trace.cost(i), full)) {
        refused++;
        limited.set(key);
      } else {
        held -= trace.cost(i);
      }
      tokens[key] = held;
    }
    return new Outcome(to - from, refused, limited.cardinality());
  }
}
