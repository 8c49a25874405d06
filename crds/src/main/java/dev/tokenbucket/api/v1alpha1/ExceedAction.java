package dev.tokenbucket.api.v1alpha1;

/** What becomes of a packet that exceeds. */
public enum ExceedAction {
  Drop
}
