// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the agent asks of the interfaces and routes of its network namespace. */
public interface KernelDevices {
  /** The index of an interface of this network namespace; empty if there is no such interface. */
  default Optional<Integer> interfaceIndex(String name) {
    return devices().stream()
        .filter(device -> device.name().equals(name))
        .map(NetworkDevice::index)
        .findFirst();
  }

  /** The name of an interface of this network namespace; empty if there is no such interface. */
  Optional<String> interfaceName(int index);

  /** The interfaces of this network namespace, with the devices that they stand on. */
  List<NetworkDevice> devices();

  /** The speeds of this network namespace's links; the same object each time. */
  LinkSpeeds linkSpeeds();

  /** Starts listening to changes of interfaces and routes of this network namespace. */
  NetworkWatch watchNetwork();

  /**
   * The indexes of the interfaces that default routes lead over, for IPv4 and IPv6, in any table,
   * including each next hop of a multipath route.
   */
  Set<Integer> defaultRouteDevices();

  /** Reports changes of the network. Not thread-safe. */
  interface NetworkWatch extends AutoCloseable {
    /**
     * Waits until interfaces or default routes have changed, or may have changed.
     *
     * @param most the longest wait, in whole milliseconds
     * @return whether they may have changed; false after {@code most}, or earlier
     */
    boolean await(Duration most);

    @Override
    void close();
  }
}
