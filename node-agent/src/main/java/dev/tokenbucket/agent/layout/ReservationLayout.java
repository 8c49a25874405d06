// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct reservation} of reservation.h. The tokens that one CPU holds from a shared bucket.
 */
public final class ReservationLayout {
  /** The map that holds it. */
  public static final String MAP = "reservations";

  public static final Struct STRUCT = Struct.named("reservation").u64("held").u64("excess").build();

  private ReservationLayout() {}
}
