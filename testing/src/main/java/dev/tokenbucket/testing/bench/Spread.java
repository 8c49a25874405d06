// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.util.Arrays;
import java.util.Collection;

/** The results of a measurement's rounds. */
public record Spread(double min, double median, double max) {
  /**
   * The spread of at least one value. The median of an even number of values is the mean of the two
   * in the middle.
   */
  public static Spread of(Collection<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("a spread of no values");
    }
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(sorted[0], median, sorted[sorted.length - 1]);
  }

  Spread times(double factor) {
    return new Spread(min * factor, median * factor, max * factor);
  }

  /** The ratios of two measurements of the same rounds, round by round. */
  public static Spread ratio(double[] over, double[] under) {
    if (over.length != under.length) {
      throw new IllegalArgumentException("rounds: " + over.length + " and " + under.length);
    }
    double[] ratios = new double[over.length];
    Arrays.setAll(ratios, round -> over[round] / under[round]);
    return of(Arrays.stream(ratios).boxed().toList());
  }
}
