package dev.tokenbucket.agent.slots;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Holds the buckets of policies that are wanted while none of their interfaces is there: one that
 * is made again within {@link #TIME} finds them as they were. Pure; one thread at a time.
 */
public final class BucketHold {
  /** From the moment at which a policy lost its last interface. */
  static final Duration TIME = Duration.ofSeconds(30);

  private final Map<SlotIdentity, Long> since = new HashMap<>();

  /**
   * The slots to be held.
   *
   * @param all whose each slot is
   * @param used slots that hooks use
   * @param wanted what policies would have a slot for, had they an interface
   * @param most slots to use and to hold at once; where there would be more, none is held
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

  /** Whether the time of one that is held is over. */
  public boolean ends(long now) {
    return since.values().stream().anyMatch(start -> now - start >= TIME.toNanos());
  }
}
