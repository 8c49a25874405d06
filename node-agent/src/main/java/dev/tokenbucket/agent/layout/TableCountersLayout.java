// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct table_counters} of maps.h. How many buckets a slot's table gained and lost, per
 * CPU.
 */
public final class TableCountersLayout {
  /** The map that holds it. */
  public static final String MAP = "table_counters";

  public static final Struct STRUCT =
      Struct.named("table_counters").u64("added").u64("removed").build();

  public static final Field ADDED = STRUCT.field("added");
  public static final Field REMOVED = STRUCT.field("removed");

  private TableCountersLayout() {}
}
