package dev.tokenbucket.api.v1alpha1;

/** What becomes of a packet whose bucket finds no place in a full table. */
public enum OnFull {
  /** It draws on one further bucket of the policy's rate, which all such packets share. */
  ShareBucket,
  /** The bucket used longest ago makes room; what it owed is forgotten. */
  EvictOldest
}
