package dev.tokenbucket.agent.layout;

/** {@code enum failsafe_slot} of failsafe.h. The failsafes' slots: from here on one a kind. */
public final class FailsafeSlot {
  public static final int FAILSAFE_SLOT = SlotLimit.MAX_SLOTS - FailsafeKind.FAILSAFE_KINDS;

  private FailsafeSlot() {}
}
