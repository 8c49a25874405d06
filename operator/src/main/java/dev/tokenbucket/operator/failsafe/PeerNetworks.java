// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import dev.tokenbucket.api.v1alpha1.Cidr;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Represents the nodes' addresses by a few networks that seldom change: the /24 around an IPv4
 * address, the /64 around an IPv6 address. So a node that joins a known network changes nothing. If
 * there are more than 256 networks, they are widened step by step, IPv4 by 4 bits down to /8 and
 * IPv6 by 8 bits down to /16. If there are still too many, the first 256 are used, IPv4 first.
 * Pure: the order of the addresses does not matter.
 */
public final class PeerNetworks {
  /** The most networks. */
  public static final int MOST = 256;

  private static final int IPV4_LENGTH = 24;
  private static final int IPV6_LENGTH = 64;
  private static final int IPV4_STEP = 4;
  private static final int IPV6_STEP = 8;
  private static final int IPV4_WIDEST = 8;
  private static final int IPV6_WIDEST = 16;

  private PeerNetworks() {}

  /** The network of one address, before any widening. */
  static Cidr of(Cidr address) {
    return Addresses.network(address, Addresses.isIpv4(address) ? IPV4_LENGTH : IPV6_LENGTH);
  }

  /** At most {@link #MOST} networks that contain all of these, as far as that many can. */
  static List<Cidr> aggregate(Collection<Cidr> addresses) {
    int ipv4 = IPV4_LENGTH;
    int ipv6 = IPV6_LENGTH;
    Set<Cidr> networks = networks(addresses, ipv4, ipv6);
    while (networks.size() > MOST && (ipv4 > IPV4_WIDEST || ipv6 > IPV6_WIDEST)) {
      ipv4 = Math.max(IPV4_WIDEST, ipv4 - IPV4_STEP);
      ipv6 = Math.max(IPV6_WIDEST, ipv6 - IPV6_STEP);
      networks = networks(networks, ipv4, ipv6);
    }
    return networks.stream().limit(MOST).toList();
  }

  private static Set<Cidr> networks(Collection<Cidr> of, int ipv4, int ipv6) {
    TreeSet<Cidr> networks = new TreeSet<>(Addresses.ORDER);
    of.forEach(each -> networks.add(Addresses.network(each, Addresses.isIpv4(each) ? ipv4 : ipv6)));
    return networks;
  }

  /** The networks that no other one contains, in canonical order. */
  static List<Cidr> withoutContained(Collection<Cidr> networks) {
    TreeSet<Cidr> ordered = new TreeSet<>(Addresses.ORDER);
    ordered.addAll(networks);
    List<Cidr> kept = new ArrayList<>();
    for (Cidr each : ordered) {
      // In this order a containing network comes first, directly followed by the networks within
      // it.
      if (kept.isEmpty() || !Addresses.contains(kept.get(kept.size() - 1), each)) {
        kept.add(each);
      }
    }
    return List.copyOf(kept);
  }
}
