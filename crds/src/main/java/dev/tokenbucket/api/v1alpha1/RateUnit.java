package dev.tokenbucket.api.v1alpha1;

/**
 * What a rate counts: packets a second (burst in packets), bits a second (burst in bytes) or new
 * TCP connections a second (burst in connections).
 */
public enum RateUnit {
  Packets,
  Bits,
  Connections;

  /** A rate in this unit, readable: 1000 packets/s. */
  public String rateText(long rate) {
    return switch (this) {
      case Packets -> rate + " packets/s";
      case Bits -> rate + " bits/s";
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
}
