package dev.tokenbucket.agent.layout;

/**
 * {@code struct place_cursor} of places.h. How many of a slot's places were ever used, and how many
 * there are.
 */
public final class PlaceCursorLayout {
  /** The map that holds it. */
  public static final String MAP = "place_cursors";

  public static final Struct STRUCT =
      Struct.named("place_cursor").u32("next").u32("capacity").build();

  public static final Field NEXT = STRUCT.field("next");
  public static final Field CAPACITY = STRUCT.field("capacity");

  private PlaceCursorLayout() {}
}
