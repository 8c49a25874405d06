// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Which interface is stacked on which. Pure. */
final class DeviceStack {
  private final Map<Integer, Set<Integer>> directlyBeneath = new HashMap<>();
  private final Set<Integer> tunnels;
  private final Set<Integer> bound;

  /**
   * Builds the stack from the devices that the kernel reports.
   *
   * @param devices all devices of this network namespace
   */
  DeviceStack(List<NetworkDevice> devices) {
    for (NetworkDevice device : devices) {
      device.lower().ifPresent(lower -> add(device.index(), lower));
      device.master().ifPresent(master -> add(master, device.index()));
    }
    tunnels = indexes(devices, NetworkDevice::isTunnel);
    bound = indexes(devices, device -> device.lower().isPresent());
  }

  private void add(int upper, int lower) {
    directlyBeneath.computeIfAbsent(upper, index -> new HashSet<>()).add(lower);
  }

  private static Set<Integer> indexes(List<NetworkDevice> devices, Predicate<NetworkDevice> which) {
    return devices.stream().filter(which).map(NetworkDevice::index).collect(Collectors.toSet());
  }

  /** All interfaces below an interface, directly or not. */
  Set<Integer> beneath(int index) {
    Set<Integer> found = new HashSet<>();
    List<Integer> next = new ArrayList<>(List.of(index));
    while (!next.isEmpty()) {
      int upper = next.remove(next.size() - 1);
      for (int lower : directlyBeneath.getOrDefault(upper, Set.of())) {
        if (lower != index && found.add(lower)) {
          next.add(lower);
        }
      }
    }
    return found;
  }

  /**
   * The names of the hooks' interfaces that may carry the packets of a tunnel: the interfaces below
   * the tunnel or, if only routes decide, every interface that is no tunnel. Empty if the hook's
   * interface is no tunnel.
   */
  List<String> carriers(HookKey hook, List<HookKey> all) {
    if (!tunnels.contains(hook.ifindex())) {
      return List.of();
    }
    Set<Integer> beneath = beneath(hook.ifindex());
    Predicate<HookKey> carries =
        bound.contains(hook.ifindex())
            ? each -> beneath.contains(each.ifindex())
            : each -> !tunnels.contains(each.ifindex());
    return all.stream().filter(carries).map(HookKey::interfaceName).toList();
  }
}
