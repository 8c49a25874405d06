package dev.tokenbucket.testing.bench;

import java.util.List;

/**
 * What passes through a flooded interface.
 *
 * @param packets sent in each round
 */
record EndToEndResult(int packets, List<Row> rows, List<Comparison> comparisons) {
  /**
   * A limiter under a flood from so many sources.
   *
   * @param limit what each bucket grants
   * @param perSecond packets that arrived and were judged
   */
  record Row(String limiter, int sources, Limiter.Limit limit, Spread perSecond) {}

  /**
   * Ours over the faster of its peers, round by round.
   *
   * @param goal at least, of the median
   */
  record Comparison(String ours, String peer, int sources, Spread ratio, double goal, boolean met) {
    static Comparison of(String ours, String peer, int sources, Spread ratio, double goal) {
      return new Comparison(ours, peer, sources, ratio, goal, ratio.median() >= goal);
    }
  }
}
