// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.util.List;

/** Judges when packets arrived. */
public final class Arrivals {
  private Arrivals() {}

  /**
   * The packets per second that may arrive over this time. A sender that was held up at the
   * beginning has its burst once more.
   */
  public static double atMost(double rate, int burst, double seconds) {
    return rate + (burst + 1) / seconds;
  }

  /**
   * Over all intervals between two arrivals: packets less B + Q * length + 1, at most.
   *
   * @param nanos when each packet arrived
   * @param rate Q in packets per second
   * @param burst B in packets
   */
  public static double mostBeyondTheBound(List<Long> nanos, double rate, int burst) {
    double worst = Double.NEGATIVE_INFINITY;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < nanos.size(); i++) {
      double granted = (nanos.get(i) - nanos.get(0)) / 1e9 * rate;
      least = Math.min(least, i - granted);
      worst = Math.max(worst, i - granted - least + 1 - (burst + 1));
    }
    return worst;
  }
}
