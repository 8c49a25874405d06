// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.pins.Pins;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Holds interfaces whose default route is gone: they count as having one for {@link #TIME} longer.
 * So a route that comes back, for example after a DHCP renewal or a link failure, finds its limits
 * in force and its buckets unchanged. The indexes of interfaces seen lately with a default route
 * are kept as folders beside the pins, for an agent that starts while a route is away; a reboot
 * removes the folders.
 *
 * <p>Not thread-safe.
 */
public final class RouteHold {
  /** Counted from the moment at which an interface last had a default route. */
  static final Duration TIME = Duration.ofSeconds(30);

  private final Path folder;

  /**
   * Per interface index, the time when the interface last had a default route: {@link
   * System#nanoTime}.
   */
  private final Map<Integer, Long> lastSeen = new HashMap<>();

  private Set<Integer> held = Set.of();
  private boolean read;

  /**
   * @param folder the folder that keeps the indexes
   */
  public RouteHold(Path folder) {
    this.folder = folder;
  }

  /** These links, with the interfaces held that had a default route lately. */
  public HostLinks over(HostLinks links, long now) {
    readOnce(now);
    links.defaultRoutes().forEach(index -> lastSeen.put(index, now));
    Set<Integer> there =
        links.devices().stream().map(device -> device.index()).collect(Collectors.toSet());
    lastSeen.entrySet().removeIf(each -> !there.contains(each.getKey()) || isOver(each, now));
    held =
        lastSeen.keySet().stream()
            .filter(index -> !links.defaultRoutes().contains(index))
            .collect(Collectors.toUnmodifiableSet());
    return links.holding(held);
  }

  private static boolean isOver(Map.Entry<Integer, Long> seen, long now) {
    return now - seen.getValue() >= TIME.toNanos();
  }

  /** Whether the hold of any interface has expired. */
  public boolean ends(long now) {
    return lastSeen.entrySet().stream()
        .anyMatch(each -> held.contains(each.getKey()) && isOver(each, now));
  }

  /**
   * Reads the indexes that a previous agent kept. The hold of these starts now, because the time
   * when they last had a route is unknown.
   */
  private void readOnce(long now) {
    if (read) {
      return;
    }
    read = true;
    for (Path each : Pins.entries(folder)) {
      String name = String.valueOf(each.getFileName());
      if (name.matches("[0-9]{1,9}")) {
        lastSeen.put(Integer.valueOf(name), now);
      }
    }
  }

  /** Keeps the indexes for the next agent; the parent folder must exist. */
  public void keep() {
    for (Path each : Pins.entries(folder)) {
      if (lastSeen.keySet().stream().noneMatch(index -> at(index).equals(each))) {
        Pins.remove(each);
      }
    }
    for (int index : lastSeen.keySet()) {
      if (!Files.exists(at(index))) {
        Pins.makeFolder(at(index));
      }
    }
  }

  private Path at(int index) {
    return folder.resolve(String.valueOf(index));
  }
}
