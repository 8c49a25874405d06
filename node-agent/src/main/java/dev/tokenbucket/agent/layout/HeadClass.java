// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum head_class} of match.h. The class of a head that longer networks begin with. */
public final class HeadClass {
  public static final int MATCH_LONGER_NETWORKS = 0;

  private HeadClass() {}
}
