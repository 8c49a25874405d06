// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.math.BigDecimal;

/**
 * What a rate counts: packets (burst in packets), bits (burst in bytes) or new TCP connections
 * (burst in connections).
 */
public enum RateUnit {
  Packets,
  Bits,
  Connections;

  private static final long KILO = 1_000;
  private static final int DECIMALS = 3;

  /** A rate per second in this unit for people, exact: 1k packets/s, 2.5 Mbit/s. */
  public String rateText(long rate) {
    return rateText(rate, RatePeriod.Second);
  }

  /** A rate in this unit for people, exact: 6 connections/min, 1.5 kbit/h. */
  String rateText(long rate, RatePeriod period) {
    String amount =
        switch (this) {
          case Packets -> scaled(rate, "") + " packets";
          case Bits -> scaled(rate, " ") + "bit";
          case Connections -> scaled(rate, "") + " connections";
        };
    return amount + "/" + period.symbol();
  }

  /** A burst in the matching unit for people: 100 packets, 1514 bytes, 10 connections. */
  public String burstText(long burst) {
    return switch (this) {
      case Packets -> scaled(burst, "") + " packets";
      case Bits -> burst + " bytes";
      case Connections -> scaled(burst, "") + " connections";
    };
  }

  /**
   * A number in the largest decimal unit that needs no more than three decimals; never rounded.
   *
   * @param gap between the number and the unit's prefix
   */
  private static String scaled(long number, String gap) {
    String text = number + gap;
    long unit = 1;
    for (String prefix : new String[] {"k", "M", "G", "T"}) {
      unit *= KILO;
      BigDecimal scaled =
          BigDecimal.valueOf(number).divide(BigDecimal.valueOf(unit)).stripTrailingZeros();
      if (number < unit || scaled.scale() > DECIMALS) {
        return text;
      }
      text = scaled.toPlainString() + gap + prefix;
    }
    return text;
  }
}
