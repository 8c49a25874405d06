// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum number_class} of match.h. Classes that no number has: for packets without a number,
 * and for packets whose number is unknown.
 */
public final class NumberClass {
  public static final int MATCH_NO_NUMBER = 0;
  public static final int MATCH_UNKNOWN_NUMBER = 1;

  private NumberClass() {}
}
