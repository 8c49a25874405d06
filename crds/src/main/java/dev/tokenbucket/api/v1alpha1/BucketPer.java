package dev.tokenbucket.api.v1alpha1;

/** What has a bucket of its own: the whole node, or each source address. */
public enum BucketPer {
  Node,
  SourceIP
}
