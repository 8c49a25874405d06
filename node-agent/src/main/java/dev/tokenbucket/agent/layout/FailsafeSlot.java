// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum failsafe_slot} of failsafe.h. The first of the failsafes' slots, which are one per
 * kind.
 */
public final class FailsafeSlot {
  public static final int FAILSAFE_SLOT = SlotLimit.MAX_SLOTS - FailsafeKind.FAILSAFE_KINDS;

  private FailsafeSlot() {}
}
