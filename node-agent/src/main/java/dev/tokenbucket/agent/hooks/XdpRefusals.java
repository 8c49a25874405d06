// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The interfaces that lately refused a program on their XDP hook. Policies that only prefer XDP are
 * on their TC hook meanwhile, and no program is loaded in vain. After {@link #TIME} XDP is tried
 * again: other software may have detached its program. Pure; not thread-safe.
 */
public final class XdpRefusals {
  static final Duration TIME = Duration.ofMinutes(1);

  private record Refusal(String reason, long since) {}

  private final Map<Integer, Refusal> refusals = new HashMap<>();

  /**
   * Keeps why an interface refused.
   *
   * @param now {@link System#nanoTime}
   */
  public void add(int ifindex, String reason, long now) {
    refusals.put(ifindex, new Refusal(reason, now));
  }

  /** The reasons by interface index, of interfaces that exist and whose time is not over. */
  public Map<Integer, String> reasons(HostLinks links, long now) {
    Set<Integer> there =
        links.devices().stream().map(device -> device.index()).collect(Collectors.toSet());
    refusals
        .entrySet()
        .removeIf(each -> !there.contains(each.getKey()) || isOver(each.getValue(), now));
    return refusals.entrySet().stream()
        .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, each -> each.getValue().reason()));
  }

  /** Whether the time of any refusal is over. */
  public boolean ends(long now) {
    return refusals.values().stream().anyMatch(each -> isOver(each, now));
  }

  private static boolean isOver(Refusal refusal, long now) {
    return now - refusal.since() >= TIME.toNanos();
  }
}
