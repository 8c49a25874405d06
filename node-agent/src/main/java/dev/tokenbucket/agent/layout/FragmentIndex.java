// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum fragment_index} of match.h. Which part of a datagram a packet is. */
public final class FragmentIndex {
  public static final int MATCH_WHOLE = 0;
  public static final int MATCH_FIRST_FRAGMENT = 1;
  public static final int MATCH_LATER_FRAGMENT = 2;
  public static final int MATCH_UNKNOWN_FRAGMENT = 3;

  private FragmentIndex() {}
}
