package dev.tokenbucket.api.v1alpha1;

/** What a rate counts: packets a second (burst in packets) or bits a second (burst in bytes). */
public enum RateUnit {
  Packets,
  Bits
}
