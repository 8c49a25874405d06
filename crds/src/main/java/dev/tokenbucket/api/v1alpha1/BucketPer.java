// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The scope that has its own bucket. */
public enum BucketPer {
  /** The whole node, over all interfaces concerned. */
  Node,
  /** Each interface concerned. */
  Interface,
  /** Each source address, widened by the prefix lengths. */
  SourceIP,
  /** Each destination address, widened by the prefix lengths. */
  DestinationIP,
  /** Each pair of source and destination address, both widened by the prefix lengths. */
  SourceAndDestinationIP,
  /** Each 5-tuple of addresses, protocol and ports. */
  Flow;

  /** Whether buckets are kept in a table, and created when their packets come. */
  public boolean isTabled() {
    return hasWidenedKey() || this == Flow;
  }

  /** Whether the key consists of addresses that prefix lengths widen. */
  public boolean hasWidenedKey() {
    return this == SourceIP || this == DestinationIP || this == SourceAndDestinationIP;
  }

  /** Whether the key holds two addresses. */
  public boolean hasBothAddresses() {
    return this == SourceAndDestinationIP || this == Flow;
  }
}
