package dev.tokenbucket.api.v1alpha1;

/** What becomes of a packet that exceeds. */
public enum ExceedAction {
  /** It is dropped. */
  Drop,
  /** Its ECN field is set to CE where it is ECN-capable; else it is dropped. */
  MarkECN,
  /** Its DSCP is set, and it passes. */
  SetDSCP
}
