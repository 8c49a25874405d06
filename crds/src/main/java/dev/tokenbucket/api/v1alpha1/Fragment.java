// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** Which part of a fragmented datagram a packet is, if any. */
public enum Fragment {
  /** Any fragment. */
  Any,
  /** The first fragment, which has the transport header. */
  First,
  /** Any fragment but the first. */
  Later,
  /** A whole datagram. */
  None;

  /** Whether a packet can be both. */
  boolean agreesWith(Fragment other) {
    return this == other || (this == Any && other != None) || (other == Any && this != None);
  }
}
