package dev.tokenbucket.agent.layout;

/** {@code enum head_class} of match.h. Class of a head under which networks differ. */
public final class HeadClass {
  public static final int MATCH_LONGER_NETWORKS = 0;

  private HeadClass() {}
}
