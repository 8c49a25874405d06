// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct clock_source} of clock.h. The source of a program's time: the virtual clock's time,
 * in ns.
 */
public final class ClockSourceLayout {
  public static final Struct STRUCT =
      Struct.named("clock_source").u64("timestamp").u32("late_ticks").u32("pad").build();

  public static final Field TIMESTAMP = STRUCT.field("timestamp");

  private ClockSourceLayout() {}
}
