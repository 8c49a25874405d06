// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An interface of this network namespace, with the devices that it stands on.
 *
 * @param altNames further names of the same interface
 * @param type ARPHRD_* of linux/if_arp.h
 * @param kind the kernel's name of the kind, such as {@code vlan} or {@code bond}; empty for
 *     hardware
 * @param lower the index of the device beneath, if it is in this namespace
 * @param master the index of the bond, team or bridge that has this interface as a port
 * @param showsOuterHeader whether its frames begin with the header of the packet that carries them
 */
public record NetworkDevice(
    int index,
    String name,
    List<String> altNames,
    int type,
    String kind,
    Optional<Integer> lower,
    Optional<Integer> master,
    boolean showsOuterHeader) {
  /** Kinds whose packets travel inside packets of another interface, which routes may choose. */
  private static final Set<String> TUNNELS =
      Set.of(
          "bareudp",
          "erspan",
          "geneve",
          "gre",
          "gretap",
          "ip6erspan",
          "ip6gre",
          "ip6gretap",
          "ip6tnl",
          "ipip",
          "sit",
          "vti",
          "vti6",
          "vxlan",
          "wireguard",
          "xfrm");

  public boolean isTunnel() {
    return TUNNELS.contains(kind);
  }
}
