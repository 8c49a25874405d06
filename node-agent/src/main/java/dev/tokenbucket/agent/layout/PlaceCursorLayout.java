// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct place_cursor} of places.h. How many of a slot's places were ever used, how many the
 * slot has, and which free places its queue did not take.
 */
public final class PlaceCursorLayout {
  /** The map that holds it. */
  public static final String MAP = "place_cursors";

  public static final Struct STRUCT =
      Struct.named("place_cursor").u32("next").u32("capacity").u64("lost").build();

  public static final Field NEXT = STRUCT.field("next");
  public static final Field CAPACITY = STRUCT.field("capacity");

  private PlaceCursorLayout() {}
}
