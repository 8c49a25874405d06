// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.math.BigDecimal;

/**
 * What a rate counts: packets (burst in packets), bits (burst in bytes) or new TCP connections
 * (burst in connections). A percentage of the link's speed (burst in bytes) becomes a rate in bits
 * on each interface; nothing in the kernel has this unit.
 */
public enum RateUnit {
  Packets("packets"),
  Bits("bytes"),
  Connections("connections"),
  PercentOfLinkSpeed("bytes");

  private static final long KILO = 1_000;
  private static final int DECIMALS = 3;

  private final String tokens;

  RateUnit(String tokens) {
    this.tokens = tokens;
  }

  /** A rate per second in this unit for people, exact: 1k packets/s, 2.5 Mbit/s. */
  public String rateText(long rate) {
    return rateText(rate, RatePeriod.Second);
  }

  /** A rate in this unit for people, exact: 6 connections/min, 1.5 kbit/h, 10% of link speed. */
  String rateText(long rate, RatePeriod period) {
    return switch (this) {
      case Packets -> scaled(rate, "") + " packets/" + period.symbol();
      case Bits -> scaled(rate, " ") + "bit/" + period.symbol();
      case Connections -> scaled(rate, "") + " connections/" + period.symbol();
      case PercentOfLinkSpeed -> rate + "% of link speed";
    };
  }

  /** A burst in the matching unit for people: 100 packets, 1514 bytes, 10 connections. */
  public String burstText(long burst) {
    return (tokens.equals("bytes") ? Long.toString(burst) : scaled(burst, "")) + " " + tokens;
  }

  /** A number of tokens for people, rounded: 5.83 packets, 1,514 bytes. Bytes have no decimals. */
  public String tokensText(double number, int decimals) {
    return "%%,.%df %%s".formatted(tokens.equals("bytes") ? 0 : decimals).formatted(number, tokens);
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
