// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct failsafe_counters} of failsafe.h. Failsafe traffic of a hook, per kind and CPU. */
public final class FailsafeCountersLayout {
  /** The map that holds it. */
  public static final String MAP = "failsafe_counters";

  public static final Struct STRUCT =
      Struct.named("failsafe_counters")
          .struct("kind", FailsafeCountLayout.STRUCT, FailsafeKind.FAILSAFE_KINDS)
          .build();

  public static final Field KIND = STRUCT.field("kind");

  private FailsafeCountersLayout() {}
}
