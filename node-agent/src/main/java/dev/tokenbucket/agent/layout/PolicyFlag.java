// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum policy_flag} of hook.h. The actions of a hook's program for a policy. */
public final class PolicyFlag {
  public static final int POLICY_PER_SOURCE = 1 << 0;
  public static final int POLICY_PER_DESTINATION = 1 << 3;
  public static final int POLICY_PER_FLOW = 1 << 4;
  public static final int POLICY_PER_PAIR = 1 << 8;
  public static final int POLICY_BYTES = 1 << 1;
  public static final int POLICY_AUDIT = 1 << 2;
  public static final int POLICY_EVICTS = 1 << 5;
  public static final int POLICY_MARKS_ECN = 1 << 6;
  public static final int POLICY_SETS_DSCP = 1 << 7;
  public static final int POLICY_HAS_PARENT = 1 << 9;

  private PolicyFlag() {}
}
