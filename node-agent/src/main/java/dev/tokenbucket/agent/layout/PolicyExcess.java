// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum policy_excess} of policy.h. What happens to a packet that exceeds. */
public final class PolicyExcess {
  public static final int POLICY_DROP = 1 << 0;
  public static final int POLICY_AUDITED = 1 << 5;
  public static final int POLICY_MARKED = 1 << 6;

  private PolicyExcess() {}
}
