// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.hooks.HostLinks;
import dev.tokenbucket.agent.kernel.KernelDevices;
import dev.tokenbucket.agent.kernel.LinkSpeeds;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which policies are on an interface. An interface that this host does not have is judged by its
 * name, as if a default route led over it, because a capture may be from another host.
 */
public final class InterfaceChoice {
  private static final int ETHERNET = 1;

  private InterfaceChoice() {}

  /** The given policies that select the interface, as they are there. */
  public static List<NodePolicy> on(
      String interfaceName, List<NodePolicy> policies, KernelDevices kernel) {
    HostLinks here = HostLinks.of(kernel);
    HostLinks links = here.has(interfaceName) ? here : elsewhere(interfaceName);
    return policies.stream().flatMap(policy -> links.on(interfaceName, policy).stream()).toList();
  }

  private static HostLinks elsewhere(String name) {
    NetworkDevice device =
        new NetworkDevice(
            1, name, List.of(), ETHERNET, "", Optional.empty(), Optional.empty(), false);
    return new HostLinks(List.of(device), Set.of(1), Set.of(), LinkSpeeds.UNKNOWN);
  }
}
