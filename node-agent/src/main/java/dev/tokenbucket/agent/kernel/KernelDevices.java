package dev.tokenbucket.agent.kernel;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the agent asks of the interfaces and routes of its network namespace. */
public interface KernelDevices {
  /** The index of an interface of this network namespace; empty where there is none. */
  default Optional<Integer> interfaceIndex(String name) {
    return devices().stream()
        .filter(device -> device.name().equals(name))
        .map(NetworkDevice::index)
        .findFirst();
  }

  /** The name of an interface of this network namespace; empty where there is none. */
  Optional<String> interfaceName(int index);

  /** The interfaces of this network namespace and what they stand on. */
  List<NetworkDevice> devices();

  /** Listens to changes of interfaces and routes of this network namespace from now on. */
  NetworkWatch watchNetwork();

  /**
   * The indexes of the interfaces that default routes lead over: IPv4's and IPv6's, of any table,
   * each next hop of a multipath route included.
   */
  Set<Integer> defaultRouteDevices();

  /** Tells of changes; for one thread. */
  interface NetworkWatch extends AutoCloseable {
    /**
     * Waits until interfaces or default routes have changed, or may have.
     *
     * @param most how long to wait, in whole milliseconds
     * @return whether they may have; false after {@code most}, or earlier
     */
    boolean await(Duration most);

    @Override
    void close();
  }
}
