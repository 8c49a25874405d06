// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.kernel.KernelDevices;
import dev.tokenbucket.agent.kernel.LinkSpeeds;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The interfaces and default routes of this network namespace, at one moment. Pure, except that the
 * speed of a link is asked for when a policy needs it: most policies don't, and a host may have
 * thousands of links.
 *
 * @param defaultRoutes indexes of the interfaces that default routes lead over, or that count as
 *     such
 * @param held the indexes in defaultRoutes that only count as such: see {@link RouteHold}
 */
public record HostLinks(
    List<NetworkDevice> devices, Set<Integer> defaultRoutes, Set<Integer> held, LinkSpeeds speeds) {
  /** ARPHRD_LOOPBACK of linux/if_arp.h. */
  private static final int LOOPBACK = 772;

  /** Reads the current state from the kernel. */
  public static HostLinks of(KernelDevices kernel) {
    List<NetworkDevice> devices = kernel.devices();
    LinkSpeeds speeds = kernel.linkSpeeds();
    speeds.forgetAllBut(devices.stream().map(NetworkDevice::index).toList());
    return new HostLinks(devices, kernel.defaultRouteDevices(), Set.of(), speeds);
  }

  /** A copy in which more interfaces count as having a default route. */
  HostLinks holding(Set<Integer> more) {
    Set<Integer> all = new TreeSet<>(defaultRoutes);
    all.addAll(more);
    return new HostLinks(devices, Set.copyOf(all), Set.copyOf(more), speeds);
  }

  /** The header that a device's frames begin with. */
  enum LinkLayer {
    ETHERNET,
    /** No link header: the IP header comes first. */
    IP
  }

  /**
   * The devices that a selector matches now. A name and a pattern also match an interface's
   * alternative names; only a name matches the loopback interface.
   */
  List<NetworkDevice> matching(InterfaceSelector selector) {
    return devices.stream().filter(predicate(selector)).toList();
  }

  /** Whether an interface of this name exists. */
  public boolean has(String name) {
    return devices.stream().anyMatch(device -> names(device).anyMatch(name::equals));
  }

  /**
   * A policy as it is on the interface of this name: empty if the policy does not select the
   * interface, and without a rate in bits if it depends on a speed that the link does not report.
   */
  public Optional<NodePolicy> on(String name, NodePolicy policy) {
    return policy.interfaces().stream()
        .flatMap(selector -> matching(selector).stream())
        .filter(device -> names(device).anyMatch(name::equals))
        .findFirst()
        .map(device -> atLinkSpeed(policy, device.index()).orElse(policy));
  }

  /** A policy on an interface; empty if it depends on a speed that the link does not report. */
  Optional<NodePolicy> atLinkSpeed(NodePolicy policy, int index) {
    return policy.needsLinkSpeed()
        ? speeds.megabits(index).map(policy::atLinkSpeed)
        : Optional.of(policy);
  }

  /** Whether a device matches this selector only because of a route that is gone. */
  boolean isHeld(InterfaceSelector selector, NetworkDevice device) {
    return isDefaultRoute(selector) && held.contains(device.index());
  }

  private static boolean isDefaultRoute(InterfaceSelector selector) {
    return selector.name() == null && selector.pattern() == null;
  }

  private Predicate<NetworkDevice> predicate(InterfaceSelector selector) {
    if (selector.name() != null) {
      String name = selector.name();
      return device -> names(device).anyMatch(name::equals);
    }
    Predicate<NetworkDevice> wanted =
        selector.pattern() == null
            ? device -> defaultRoutes.contains(device.index())
            : anyOf(List.of(selector.pattern()))
                .and(anyOf(Objects.requireNonNullElse(selector.exclude(), List.of())).negate());
    return wanted.and(device -> device.type() != LOOPBACK);
  }

  private static Predicate<NetworkDevice> anyOf(List<String> patterns) {
    Predicate<String> any =
        patterns.stream().map(InterfaceSelector::glob).reduce(name -> false, Predicate::or);
    return device -> names(device).anyMatch(any);
  }

  private static Stream<String> names(NetworkDevice device) {
    return Stream.concat(Stream.of(device.name()), device.altNames().stream());
  }

  /**
   * The link layer, from the device's type (linux/if_arp.h); empty if the classifier does not read
   * that type.
   */
  static Optional<LinkLayer> linkLayer(NetworkDevice device) {
    if (device.showsOuterHeader()) {
      return Optional.empty();
    }
    return switch (device.type()) {
      // Ethernet, loopback
      case 1, LOOPBACK -> Optional.of(LinkLayer.ETHERNET);
      // PPP, raw IP, ipip, ip6tnl, sit, GRE over IPv4 and IPv6; none: tun, WireGuard
      case 512, 519, 768, 769, 776, 778, 823, 65534 -> Optional.of(LinkLayer.IP);
      default -> Optional.empty();
    };
  }
}
