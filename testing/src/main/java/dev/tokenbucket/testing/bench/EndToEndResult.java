// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.util.List;

/**
 * The throughput of a flooded interface.
 *
 * @param packets packets sent per round
 */
record EndToEndResult(int packets, List<Row> rows, List<Comparison> comparisons) {
  /**
   * A limiter under a flood from these sources.
   *
   * @param limit the limit of each bucket
   * @param perSecond packets per second that arrived and were judged
   */
  record Row(String limiter, Sources sources, Limiter.Limit limit, Spread perSecond) {}

  /**
   * The classifier's throughput over that of its faster peer, round by round.
   *
   * @param goal the least median
   */
  record Comparison(
      String ours, String peer, Sources sources, Spread ratio, double goal, boolean met) {
    static Comparison of(String ours, String peer, Sources sources, Spread ratio, double goal) {
      return new Comparison(ours, peer, sources, ratio, goal, ratio.median() >= goal);
    }
  }
}
