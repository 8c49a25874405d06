package dev.tokenbucket.api.v1alpha1;

import java.math.BigDecimal;

/**
 * What a rate counts: packets a second (burst in packets), bits a second (burst in bytes) or new
 * TCP connections a second (burst in connections).
 */
public enum RateUnit {
  Packets,
  Bits,
  Connections;

  private static final long KILO = 1_000;
  private static final int DECIMALS = 3;

  /** A rate in this unit, readable and exact: 1000 packets/s, 2.5 Mbit/s. */
  public String rateText(long rate) {
    return switch (this) {
      case Packets -> rate + " packets/s";
      case Bits -> bitsText(rate);
      case Connections -> rate + " connections/s";
    };
  }

  /** A burst that goes with this unit, readable: 100 packets, 1514 bytes, 10 connections. */
  public String burstText(long burst) {
    return switch (this) {
      case Packets -> burst + " packets";
      case Bits -> burst + " bytes";
      case Connections -> burst + " connections";
    };
  }

  /** In the largest decimal unit that takes no more than three decimals; never rounded. */
  private static String bitsText(long rate) {
    String text = rate + " bit/s";
    long unit = 1;
    for (String prefix : new String[] {"k", "M", "G", "T"}) {
      unit *= KILO;
      BigDecimal scaled =
          BigDecimal.valueOf(rate).divide(BigDecimal.valueOf(unit)).stripTrailingZeros();
      if (rate < unit || scaled.scale() > DECIMALS) {
        return text;
      }
      text = scaled.toPlainString() + " " + prefix + "bit/s";
    }
    return text;
  }
}
