// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Holds the buckets of policies that are wanted while none of their interfaces exists: an interface
 * that is created again within {@link #TIME} finds the buckets unchanged. Pure; not thread-safe.
 */
public final class BucketHold {
  /** Counted from the moment at which a policy lost its last interface. */
  static final Duration TIME = Duration.ofSeconds(30);

  private final Map<SlotIdentity, Long> since = new HashMap<>();

  /**
   * The slots to hold.
   *
   * @param all the identity of each slot
   * @param used slots that hooks use
   * @param wanted identities that policies would have a slot for if they had an interface
   * @param most the most slots to use and hold at once; with more, none is held
   * @param now {@link System#nanoTime}
   */
  public Set<Integer> hold(
      Map<Integer, SlotIdentity> all,
      Set<Integer> used,
      Set<SlotIdentity> wanted,
      int most,
      long now) {
    Map<SlotIdentity, Integer> idle = new HashMap<>();
    all.forEach(
        (slot, identity) -> {
          if (!used.contains(slot) && wanted.contains(identity)) {
            idle.put(identity, slot);
          }
        });
    since.keySet().retainAll(idle.keySet());
    idle.keySet().forEach(identity -> since.putIfAbsent(identity, now));
    if (used.size() + idle.size() > most) {
      since.clear();
    }
    since.values().removeIf(start -> now - start >= TIME.toNanos());
    Set<Integer> held = new HashSet<>();
    idle.forEach(
        (identity, slot) -> {
          if (since.containsKey(identity)) {
            held.add(slot);
          }
        });
    return held;
  }

  /** Whether the hold of any slot has expired. */
  public boolean ends(long now) {
    return since.values().stream().anyMatch(start -> now - start >= TIME.toNanos());
  }
}
