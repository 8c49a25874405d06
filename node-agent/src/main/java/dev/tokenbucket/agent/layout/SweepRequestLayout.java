// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct sweep_request} of sweep.bpf.c. The agent's input to the program that removes full
 * buckets.
 */
public final class SweepRequestLayout {
  public static final Struct STRUCT =
      Struct.named("sweep_request")
          .u32("slot")
          .u32("parameters")
          .u32("keys")
          .u32("flows")
          .struct("clock", ClockSourceLayout.STRUCT)
          .build();

  public static final Field SLOT = STRUCT.field("slot");
  public static final Field PARAMETERS = STRUCT.field("parameters");
  public static final Field KEYS = STRUCT.field("keys");
  public static final Field FLOWS = STRUCT.field("flows");
  public static final Field CLOCK = STRUCT.field("clock");

  private SweepRequestLayout() {}
}
