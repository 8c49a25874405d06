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
 * Holds interfaces whose default route is gone: they count as having one for {@link #TIME} more, so
 * that a route which comes back, as after a DHCP renewal or a link that was down, finds its limits
 * in force and its buckets as they were. The routes last seen are kept as folders beside the pins,
 * for an agent that starts while a route is away; a reboot removes these.
 *
 * <p>One thread at a time.
 */
public final class RouteHold {
  /** From the moment at which an interface was last seen with a default route. */
  static final Duration TIME = Duration.ofSeconds(30);

  private final Path folder;

  /** By index, when an interface was last seen with a default route: {@link System#nanoTime}. */
  private final Map<Integer, Long> lastSeen = new HashMap<>();

  private Set<Integer> held = Set.of();
  private boolean read;

  /**
   * @param folder of what is kept
   */
  public RouteHold(Path folder) {
    this.folder = folder;
  }

  /** These links, with those held that had a default route lately. */
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

  /** Whether the time of one that is held is over. */
  public boolean ends(long now) {
    return lastSeen.entrySet().stream()
        .anyMatch(each -> held.contains(each.getKey()) && isOver(each, now));
  }

  /** What an agent left that ran before this one; when it was seen is not known. */
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

  /** Keeps the routes last seen for the next agent; the folder above must be there. */
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
