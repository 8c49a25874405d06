// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct admission} of admission.h. Whether a slot's table was found full. */
public final class AdmissionLayout {
  /** The map that holds it. */
  public static final String MAP = "admissions";

  public static final Struct STRUCT = Struct.named("admission").u64("full_in").u64("taken").build();

  public static final Field FULL_IN = STRUCT.field("full_in");

  private AdmissionLayout() {}
}
