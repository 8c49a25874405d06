// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The time in which a rate grants its tokens. */
public enum RatePeriod {
  Second(1, "s"),
  Minute(60, "min"),
  Hour(3600, "h");

  private final int seconds;
  private final String symbol;

  RatePeriod(int seconds, String symbol) {
    this.seconds = seconds;
    this.symbol = symbol;
  }

  public int seconds() {
    return seconds;
  }

  /** The unit's symbol, as in packets/min. */
  String symbol() {
    return symbol;
  }
}
