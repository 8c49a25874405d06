// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct policy_parameters} of parameters.h. A policy's two lines, and which is in force.
 */
public final class PolicyParametersLayout {
  /** The map that holds it. */
  public static final String MAP = "parameters";

  public static final Struct STRUCT =
      Struct.named("policy_parameters")
          .struct("line", AxisLineLayout.STRUCT, 2)
          .u64("active")
          .build();

  public static final Field LINE = STRUCT.field("line");
  public static final Field ACTIVE = STRUCT.field("active");

  private PolicyParametersLayout() {}
}
