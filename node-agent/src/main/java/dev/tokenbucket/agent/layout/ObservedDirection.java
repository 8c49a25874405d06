// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum observed_direction} of observe.h. */
public final class ObservedDirection {
  public static final int OBSERVED_INGRESS = 1 << 0;
  public static final int OBSERVED_EGRESS = 1 << 1;

  private ObservedDirection() {}
}
