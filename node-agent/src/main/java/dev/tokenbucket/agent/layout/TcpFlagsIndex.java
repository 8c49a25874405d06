package dev.tokenbucket.agent.layout;

/**
 * {@code enum tcp_flags_index} of match.h. Behind the flags themselves: of packets that have none,
 * and of those that may have any.
 */
public final class TcpFlagsIndex {
  public static final int MATCH_NO_TCP_FLAGS = 256;
  public static final int MATCH_UNKNOWN_TCP_FLAGS = 257;

  private TcpFlagsIndex() {}
}
