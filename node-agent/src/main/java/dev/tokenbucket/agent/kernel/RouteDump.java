// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.agent.kernel.NetlinkMessages.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Asks rtnetlink for the routes of this network namespace, in all tables. */
final class RouteDump {
  private final NetlinkDump dump;

  RouteDump(NativeCalls calls) {
    this.dump = new NetlinkDump(calls);
  }

  /** The indexes of the devices that IPv4 and IPv6 default routes lead over. */
  Set<Integer> defaultRouteDevices() {
    List<Message> routes = new ArrayList<>();
    routes.addAll(dump.read("IPv4 routes", RouteMessages.routeRequest(RouteMessages.AF_INET)));
    routes.addAll(dump.read("IPv6 routes", RouteMessages.routeRequest(RouteMessages.AF_INET6)));
    return RouteMessages.defaultRouteDevices(
        routes, dump.read("next hops", RouteMessages.nextHopRequest()));
  }
}
