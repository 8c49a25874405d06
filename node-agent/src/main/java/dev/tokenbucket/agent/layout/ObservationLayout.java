// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct observation} of observe.h. Which packets the observer asks for. */
public final class ObservationLayout {
  /** The map that holds it. */
  public static final String MAP = "observation";

  private static final int SLOT_WORDS = (SlotLimit.MAX_SLOTS + Long.SIZE - 1) / Long.SIZE;

  public static final Struct STRUCT =
      Struct.named("observation")
          .u64("credit")
          .u32("sample")
          .u32("ifindex")
          .u32("directions")
          .u32("pad")
          .u64("slots", SLOT_WORDS)
          .build();

  public static final Field CREDIT = STRUCT.field("credit");
  public static final Field SAMPLE = STRUCT.field("sample");
  public static final Field IFINDEX = STRUCT.field("ifindex");
  public static final Field DIRECTIONS = STRUCT.field("directions");
  public static final Field SLOTS = STRUCT.field("slots");

  private ObservationLayout() {}
}
