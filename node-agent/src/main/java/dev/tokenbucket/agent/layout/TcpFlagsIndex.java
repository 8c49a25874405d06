// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum tcp_flags_index} of match.h. The indices after the flags themselves: for packets
 * without flags, and for packets whose flags are unknown.
 */
public final class TcpFlagsIndex {
  public static final int MATCH_NO_TCP_FLAGS = 256;
  public static final int MATCH_UNKNOWN_TCP_FLAGS = 257;

  private TcpFlagsIndex() {}
}
