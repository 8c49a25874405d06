// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum failsafe_kind} of failsafe.h. The kinds of failsafe traffic, and their number. */
public final class FailsafeKind {
  public static final int FAILSAFE_NEIGHBOUR = 0;
  public static final int FAILSAFE_DHCP = 1;
  public static final int FAILSAFE_GROUP = 2;
  public static final int FAILSAFE_PATH_MTU = 3;
  public static final int FAILSAFE_PEER = 4;
  public static final int FAILSAFE_KINDS = 5;
  public static final int FAILSAFE_NONE = FAILSAFE_KINDS;

  private FailsafeKind() {}
}
