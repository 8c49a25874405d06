package dev.tokenbucket.api.v1alpha1;

/** What a rate counts: packets a second (burst in packets) or bits a second (burst in bytes). */
public enum RateUnit {
  Packets,
  Bits;

  /** A rate in this unit, readable: 1000 packets/s. */
  public String rateText(long rate) {
    return rate + (this == Packets ? " packets/s" : " bits/s");
  }

  /** A burst that goes with this unit, readable: 100 packets, 1514 bytes. */
  public String burstText(long burst) {
    return burst + (this == Packets ? " packets" : " bytes");
  }
}
