package dev.tokenbucket.agent.layout;

/**
 * {@code enum number_class} of match.h. Classes that no number has: of packets that have none, and
 * of those whose number is not known.
 */
public final class NumberClass {
  public static final int MATCH_NO_NUMBER = 0;
  public static final int MATCH_UNKNOWN_NUMBER = 1;

  private NumberClass() {}
}
