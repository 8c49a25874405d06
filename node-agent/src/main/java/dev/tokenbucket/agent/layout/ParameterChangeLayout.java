// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct parameter_change} of parameters.bpf.c. The agent's input to the program that
 * changes parameters.
 */
public final class ParameterChangeLayout {
  public static final Struct STRUCT =
      Struct.named("parameter_change")
          .u32("slot")
          .u32("step")
          .struct("line", AxisLineLayout.STRUCT)
          .struct("clock", ClockSourceLayout.STRUCT)
          .build();

  public static final Field SLOT = STRUCT.field("slot");
  public static final Field STEP = STRUCT.field("step");
  public static final Field LINE = STRUCT.field("line");
  public static final Field CLOCK = STRUCT.field("clock");

  private ParameterChangeLayout() {}
}
