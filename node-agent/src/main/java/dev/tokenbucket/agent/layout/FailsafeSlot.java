package dev.tokenbucket.agent.layout;

/**
 * {@code enum failsafe_slot} of failsafe.h. The failsafes' slots: of what anybody can send, and of
 * traffic with known peers.
 */
public final class FailsafeSlot {
  public static final int FAILSAFE_LINK_SLOT = SlotLimit.MAX_SLOTS - 2;
  public static final int FAILSAFE_PEER_SLOT = SlotLimit.MAX_SLOTS - 1;

  private FailsafeSlot() {}
}
