package dev.tokenbucket.api.v1alpha1;

/** Which way packets go, as the interface sees it. */
public enum Direction {
  Ingress,
  Egress
}
