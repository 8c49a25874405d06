package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An interface of this network namespace and what it stands on.
 *
 * @param altNames further names of the same interface
 * @param type ARPHRD_* of linux/if_arp.h
 * @param kind as the kernel names it, such as {@code vlan} or {@code bond}; empty for hardware
 * @param lower the index of the device beneath, in this namespace
 * @param master the index of the bond, team or bridge that it is a port of
 * @param showsOuterHeader its frames begin with the header of the packet that carries them
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
  /** Kinds whose packets leave in packets of another interface, which routes may choose. */
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

  /** Whether it is a tunnel. */
  public boolean isTunnel() {
    return TUNNELS.contains(kind);
  }
}
