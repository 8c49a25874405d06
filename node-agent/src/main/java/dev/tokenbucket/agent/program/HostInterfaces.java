package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The interfaces of this network namespace, as the kernel has them now. */
public final class HostInterfaces {
  private static final Path IPV4_ROUTES = Path.of("/proc/net/route");
  private static final Path IPV6_ROUTES = Path.of("/proc/net/ipv6_route");
  private static final String LOOPBACK = "lo";
  private static final Path DEVICES = Path.of("/proc/net/dev");

  private final Kernel kernel;

  public HostInterfaces(Kernel kernel) {
    this.kernel = kernel;
  }

  /** What a device's frames begin with. */
  public enum LinkLayer {
    ETHERNET,
    /** Nothing: the IP header comes first. */
    IP
  }

  private static final String IPV6_ANY = "0".repeat(32);

  /** What the selectors mean now: interface names with their indexes; empty where none matches. */
  public SortedMap<String, Integer> select(List<InterfaceSelector> selectors) {
    SortedMap<String, Integer> selected = new TreeMap<>();
    for (InterfaceSelector selector : selectors) {
      names(selector)
          .forEach(name -> kernel.interfaceIndex(name).ifPresent(i -> selected.put(name, i)));
    }
    return selected;
  }

  private static Set<String> names(InterfaceSelector selector) {
    if (selector.name() != null) {
      return Set.of(selector.name());
    }
    return selector.pattern() == null
        ? defaultRoute()
        : matching(selector.pattern(), selector.exclude());
  }

  private static Set<String> matching(String pattern, @Nullable List<String> exclude) {
    Predicate<String> wanted = glob(pattern);
    Predicate<String> unwanted =
        exclude == null
            ? name -> false
            : exclude.stream().map(HostInterfaces::glob).reduce(name -> false, Predicate::or);
    return all()
        .filter(name -> !name.equals(LOOPBACK))
        .filter(wanted.and(unwanted.negate()))
        .collect(Collectors.toSet());
  }

  /** {@code *} and {@code ?}; every other character stands for itself. */
  static Predicate<String> glob(String pattern) {
    String expression =
        pattern
            .chars()
            .mapToObj(
                c ->
                    switch (c) {
                      case '*' -> ".*";
                      case '?' -> ".";
                      default -> Pattern.quote(Character.toString(c));
                    })
            .collect(Collectors.joining());
    return Pattern.compile(expression, Pattern.DOTALL).asMatchPredicate();
  }

  /** Also those without an address, which the standard library does not know. */
  private static Stream<String> all() {
    return lines(DEVICES).stream()
        .filter(line -> line.indexOf(':') >= 0)
        .map(line -> line.substring(0, line.lastIndexOf(':')).strip());
  }

  /**
   * The link layer, by the device's type (linux/if_arp.h); empty for one that the classifier does
   * not read, and for a device that is gone.
   */
  public Optional<LinkLayer> linkLayer(String name) {
    return kernel.linkType(name).flatMap(HostInterfaces::linkLayer);
  }

  private static Optional<LinkLayer> linkLayer(int type) {
    return switch (type) {
      // Ethernet, loopback
      case 1, 772 -> Optional.of(LinkLayer.ETHERNET);
      // PPP, raw IP, ipip, ip6tnl, sit, GRE over IPv4 and IPv6; none: tun, WireGuard
      case 512, 519, 768, 769, 776, 778, 823, 65534 -> Optional.of(LinkLayer.IP);
      default -> Optional.empty();
    };
  }

  /** An interface's name; empty where it is gone. */
  public Optional<String> name(int index) {
    return kernel.interfaceName(index);
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
    names.remove(LOOPBACK);
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
