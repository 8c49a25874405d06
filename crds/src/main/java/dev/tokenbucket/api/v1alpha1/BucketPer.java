package dev.tokenbucket.api.v1alpha1;

/** What has a bucket of its own. */
public enum BucketPer {
  /** The whole node, over all interfaces concerned. */
  Node,
  /** Each interface concerned. */
  Interface,
  /** Each source address, widened by the prefix lengths. */
  SourceIP,
  /** Each destination address, widened by the prefix lengths. */
  DestinationIP,
  /** Each 5-tuple of addresses, protocol and ports. */
  Flow;

  /** Whether buckets are kept in a table, made as their packets come. */
  public boolean isTabled() {
    return hasAddressKey() || this == Flow;
  }

  /** Whether the key is one address, which prefix lengths widen. */
  public boolean hasAddressKey() {
    return this == SourceIP || this == DestinationIP;
  }
}
