// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum slot_limit} of maps.h. The number of slots on a host. */
public final class SlotLimit {
  public static final int MAX_SLOTS = 259;

  private SlotLimit() {}
}
