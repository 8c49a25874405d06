// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum protocol_index} of match.h. The index of an unknown protocol. */
public final class ProtocolIndex {
  public static final int MATCH_UNKNOWN_PROTOCOL = 256;

  private ProtocolIndex() {}
}
