package dev.tokenbucket.agent.layout;

/** {@code struct failsafe_counters} of failsafe.h. Failsafe traffic of a hook in packets, a CPU. */
public final class FailsafeCountersLayout {
  /** The map that holds it. */
  public static final String MAP = "failsafe_counters";

  public static final Struct STRUCT =
      Struct.named("failsafe_counters").u64("exempt_packets").u64("exceed_packets").build();

  public static final Field EXEMPT_PACKETS = STRUCT.field("exempt_packets");
  public static final Field EXCEED_PACKETS = STRUCT.field("exceed_packets");

  private FailsafeCountersLayout() {}
}
