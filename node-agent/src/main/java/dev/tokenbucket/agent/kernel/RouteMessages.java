// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.agent.kernel.NetlinkMessages.Message;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The messages of dumps of routes and next-hop objects (linux/rtnetlink.h, linux/nexthop.h). They
 * say over which devices default routes lead, in any table, including each next hop of a multipath
 * route. Pure functions that accept any input.
 */
final class RouteMessages {
  static final int AF_INET = 2;
  static final int AF_INET6 = 10;

  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_GETROUTE = 26;
  private static final int RTM_NEWNEXTHOP = 104;
  private static final int RTM_GETNEXTHOP = 106;

  /** Bytes of struct rtmsg. */
  private static final int ROUTE_HEADER = 12;

  private static final int DESTINATION_LENGTH_AT = 1;
  private static final int TYPE_AT = 7;
  private static final int RTN_UNICAST = 1;
  private static final int RTA_OIF = 4;
  private static final int RTA_MULTIPATH = 9;
  private static final int RTA_NH_ID = 30;

  /** Bytes of struct rtnexthop: its length, then flags and hops, then the device. */
  private static final int NEXT_HOP_HEADER = 8;

  /** Bytes of struct nhmsg. */
  private static final int OBJECT_HEADER = 8;

  private static final int NHA_ID = 1;
  private static final int NHA_GROUP = 2;
  private static final int NHA_OIF = 5;

  /** Bytes of struct nexthop_grp: an object's id, then its weight. */
  private static final int GROUP_MEMBER = 8;

  private RouteMessages() {}

  static byte[] routeRequest(int family) {
    byte[] header = new byte[ROUTE_HEADER];
    header[0] = (byte) family;
    return NetlinkMessages.dumpRequest(RTM_GETROUTE, header);
  }

  static byte[] nextHopRequest() {
    return NetlinkMessages.dumpRequest(RTM_GETNEXTHOP, new byte[OBJECT_HEADER]);
  }

  /**
   * The indexes of the devices that default routes lead over.
   *
   * @param routes the dump of routes
   * @param nextHops the dump of next-hop objects
   */
  static Set<Integer> defaultRouteDevices(List<Message> routes, List<Message> nextHops) {
    Map<Integer, Set<Integer>> objects = objects(nextHops);
    Set<Integer> devices = new TreeSet<>();
    for (Message route : routes) {
      if (isDefault(route)) {
        Map<Integer, ByteBuffer> attributes = route.attributes(ROUTE_HEADER);
        devices.addAll(number(attributes.get(RTA_OIF)));
        devices.addAll(hops(attributes.get(RTA_MULTIPATH)));
        number(attributes.get(RTA_NH_ID))
            .forEach(id -> devices.addAll(objects.getOrDefault(id, Set.of())));
      }
    }
    return devices;
  }

  private static boolean isDefault(Message message) {
    ByteBuffer body = message.body();
    return message.type() == RTM_NEWROUTE
        && body.remaining() >= ROUTE_HEADER
        && body.get(DESTINATION_LENGTH_AT) == 0
        && body.get(TYPE_AT) == RTN_UNICAST;
  }

  private static Set<Integer> hops(@Nullable ByteBuffer hops) {
    Set<Integer> devices = new HashSet<>();
    for (int at = 0; hops != null && at + NEXT_HOP_HEADER <= hops.limit(); ) {
      int size = Short.toUnsignedInt(hops.getShort(at));
      if (size < NEXT_HOP_HEADER) {
        break;
      }
      devices.add(hops.getInt(at + 4));
      at += NetlinkMessages.aligned(size);
    }
    return devices;
  }

  /** The devices of each next-hop object. A group has the devices of its members. */
  private static Map<Integer, Set<Integer>> objects(List<Message> messages) {
    Map<Integer, Set<Integer>> devices = new HashMap<>();
    Map<Integer, ByteBuffer> groups = new HashMap<>();
    for (Message message : messages) {
      if (message.type() == RTM_NEWNEXTHOP) {
        Map<Integer, ByteBuffer> attributes = message.attributes(OBJECT_HEADER);
        for (int id : number(attributes.get(NHA_ID))) {
          devices.put(id, number(attributes.get(NHA_OIF)));
          if (attributes.containsKey(NHA_GROUP)) {
            groups.put(id, attributes.get(NHA_GROUP));
          }
        }
      }
    }
    groups.forEach((id, members) -> devices.put(id, members(members, devices)));
    return devices;
  }

  private static Set<Integer> members(ByteBuffer group, Map<Integer, Set<Integer>> devices) {
    Set<Integer> all = new HashSet<>();
    for (int at = 0; at + GROUP_MEMBER <= group.limit(); at += GROUP_MEMBER) {
      all.addAll(devices.getOrDefault(group.getInt(at), Set.of()));
    }
    return all;
  }

  /** The attribute's number, or nothing if the attribute is absent or too short. */
  private static Set<Integer> number(@Nullable ByteBuffer value) {
    return value == null || value.remaining() < Integer.BYTES ? Set.of() : Set.of(value.getInt(0));
  }
}
