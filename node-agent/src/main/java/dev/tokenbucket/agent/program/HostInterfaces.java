package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/** The interfaces of this network namespace, as the kernel has them now. */
public final class HostInterfaces {
  private static final Path IPV4_ROUTES = Path.of("/proc/net/route");
  private static final Path IPV6_ROUTES = Path.of("/proc/net/ipv6_route");
  private static final String IPV6_ANY = "0".repeat(32);

  /** What the selectors mean now: interface names with their indexes; empty where none matches. */
  public SortedMap<String, Integer> select(List<InterfaceSelector> selectors) {
    SortedMap<String, Integer> selected = new TreeMap<>();
    for (InterfaceSelector selector : selectors) {
      String name = selector.name();
      if (name == null) {
        defaultRoute().forEach(each -> index(each).ifPresent(i -> selected.put(each, i)));
      } else {
        index(name).ifPresent(i -> selected.put(name, i));
      }
    }
    return selected;
  }

  /** An interface's name; empty where it is gone. */
  public Optional<String> name(int index) {
    try {
      return Optional.ofNullable(NetworkInterface.getByIndex(index)).map(NetworkInterface::getName);
    } catch (SocketException e) {
      return Optional.empty();
    }
  }

  private static Optional<Integer> index(String name) {
    try {
      return Optional.ofNullable(NetworkInterface.getByName(name)).map(NetworkInterface::getIndex);
    } catch (SocketException e) {
      return Optional.empty();
    }
  }

  private static Set<String> defaultRoute() {
    Set<String> names = new TreeSet<>();
    for (String line : lines(IPV4_ROUTES)) {
      String[] field = line.strip().split("\\s+", -1);
      if (field.length > 7 && field[1].equals("00000000") && field[7].equals("00000000")) {
        names.add(field[0]);
      }
    }
    for (String line : lines(IPV6_ROUTES)) {
      String[] field = line.strip().split("\\s+", -1);
      if (field.length > 9 && field[0].equals(IPV6_ANY) && field[1].equals("00")) {
        names.add(field[9]);
      }
    }
    names.remove("lo");
    return names;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.exists(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
