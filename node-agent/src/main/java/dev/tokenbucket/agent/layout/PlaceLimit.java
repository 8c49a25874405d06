// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum place_limit} of places.h. Places per array, arrays per slot, hints per slot. */
public final class PlaceLimit {
  public static final int PLACES = 1 << 14;
  public static final int SLOT_ARRAYS = (1 << 22) / PLACES;
  public static final int HINTS = 1 << 16;

  private PlaceLimit() {}
}
