package dev.tokenbucket.agent.suggest;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A rate and a burst that each key has for itself.
 *
 * @param rate tokens a second
 * @param burst tokens
 */
public record Limit(long rate, long burst) {
  private static final double SECOND = 1e9;

  /**
   * What it does to packets.
   *
   * @param packets that were judged
   * @param refused of these
   * @param keys that had a packet refused
   */
  public record Outcome(long packets, long refused, int keys) {
    /** Of all packets, from 0 to 1. */
    public double share() {
      return packets == 0 ? 0 : refused / (double) packets;
    }
  }

  /** What it does to packets of a trace, each key's bucket being full at its first. */
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
