// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct axis_line} of token_axis.h. One whole set of a policy's parameters. */
public final class AxisLineLayout {
  public static final Struct STRUCT =
      Struct.named("axis_line")
          .u64("v0")
          .u64("t0")
          .u64("rate_before")
          .u64("rate")
          .u64("window")
          .u64("burst")
          .u32("batch")
          .u32("reserve")
          .u32("memory")
          .u32("idle")
          .u64("generation")
          .build();

  public static final Field V0 = STRUCT.field("v0");
  public static final Field T0 = STRUCT.field("t0");
  public static final Field RATE_BEFORE = STRUCT.field("rate_before");
  public static final Field RATE = STRUCT.field("rate");
  public static final Field WINDOW = STRUCT.field("window");
  public static final Field BURST = STRUCT.field("burst");
  public static final Field BATCH = STRUCT.field("batch");
  public static final Field RESERVE = STRUCT.field("reserve");
  public static final Field MEMORY = STRUCT.field("memory");
  public static final Field IDLE = STRUCT.field("idle");
  public static final Field GENERATION = STRUCT.field("generation");

  private AxisLineLayout() {}
}
