// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct failsafe_count} of failsafe.h. Failsafe traffic of one kind, in packets per CPU.
 */
public final class FailsafeCountLayout {
  public static final Struct STRUCT =
      Struct.named("failsafe_count").u64("exempt_packets").u64("exceed_packets").build();

  public static final Field EXEMPT_PACKETS = STRUCT.field("exempt_packets");
  public static final Field EXCEED_PACKETS = STRUCT.field("exceed_packets");

  private FailsafeCountLayout() {}
}
