// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct observation_counters} of observe.h. What happened to the packets that the observer
 * asked for, per CPU.
 */
public final class ObservationCountersLayout {
  /** The map that holds it. */
  public static final String MAP = "observation_counters";

  public static final Struct STRUCT =
      Struct.named("observation_counters")
          .u64("seen")
          .u64("sampled_out")
          .u64("over_rate")
          .u64("lost")
          .build();

  public static final Field SEEN = STRUCT.field("seen");
  public static final Field SAMPLED_OUT = STRUCT.field("sampled_out");
  public static final Field OVER_RATE = STRUCT.field("over_rate");
  public static final Field LOST = STRUCT.field("lost");

  private ObservationCountersLayout() {}
}
