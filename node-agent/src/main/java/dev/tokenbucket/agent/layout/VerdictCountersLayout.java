// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct verdict_counters} of maps.h. The counters that a hook's program keeps for a policy,
 * per CPU.
 */
public final class VerdictCountersLayout {
  /** The map that holds it. */
  public static final String MAP = "counters";

  public static final Struct STRUCT =
      Struct.named("verdict_counters")
          .u64("conform_packets")
          .u64("conform_bytes")
          .u64("exceed_packets")
          .u64("exceed_bytes")
          .u64("contended_packets")
          .u64("overflow_packets")
          .u64("marked_packets")
          .u64("parent_exceed_packets")
          .build();

  public static final Field CONFORM_PACKETS = STRUCT.field("conform_packets");
  public static final Field CONFORM_BYTES = STRUCT.field("conform_bytes");
  public static final Field EXCEED_PACKETS = STRUCT.field("exceed_packets");
  public static final Field EXCEED_BYTES = STRUCT.field("exceed_bytes");
  public static final Field CONTENDED_PACKETS = STRUCT.field("contended_packets");
  public static final Field OVERFLOW_PACKETS = STRUCT.field("overflow_packets");
  public static final Field MARKED_PACKETS = STRUCT.field("marked_packets");
  public static final Field PARENT_EXCEED_PACKETS = STRUCT.field("parent_exceed_packets");

  private VerdictCountersLayout() {}
}
