// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The action on a packet that exceeds. */
public enum ExceedAction {
  /** The packet is dropped. */
  Drop,
  /**
   * The packet's ECN field is set to CE if the packet is ECN-capable; otherwise the packet is
   * dropped.
   */
  MarkECN,
  /** The packet's DSCP is set, and the packet passes. */
  SetDSCP
}
