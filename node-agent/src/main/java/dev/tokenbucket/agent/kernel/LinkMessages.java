// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import static dev.tokenbucket.agent.kernel.NetlinkMessages.attributeList;
import static dev.tokenbucket.agent.kernel.NetlinkMessages.attributes;

import dev.tokenbucket.agent.kernel.NetlinkMessages.Message;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a dump of links (linux/rtnetlink.h, linux/if_link.h). Pure functions that accept
 * any input.
 */
final class LinkMessages {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_GETLINK = 18;

  /** Bytes of struct ifinfomsg. */
  private static final int LINK_HEADER = 16;

  private static final int TYPE_AT = 2;
  private static final int INDEX_AT = 4;

  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_LINK = 5;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_INFO_DATA = 2;

  /** In the data of a VXLAN device, which has no IFLA_LINK. */
  private static final int IFLA_VXLAN_LINK = 3;

  /** In the data of GRE devices. Absent or all zero if the remote address differs per packet. */
  private static final int IFLA_GRE_REMOTE = 7;

  /** In the data of GRE devices whose packets carry their tunnel as metadata. */
  private static final int IFLA_GRE_COLLECT_METADATA = 18;

  private static final int IFLA_LINK_NETNSID = 37;
  private static final int IFLA_XDP = 43;
  private static final int IFLA_XDP_PROG_ID = 4;
  private static final int IFLA_PROP_LIST = 52;
  private static final int IFLA_ALT_IFNAME = 53;

  /** Kinds whose IFLA_LINK names the other end of a pair, not the device beneath. */
  private static final Set<String> PAIRED = Set.of("veth", "netkit", "vxcan");

  private LinkMessages() {}

  /** The request for all links. */
  static byte[] request() {
    return NetlinkMessages.dumpRequest(RTM_GETLINK, new byte[LINK_HEADER]);
  }

  /** The request for one link. */
  static byte[] request(int ifindex) {
    byte[] header =
        ByteBuffer.allocate(LINK_HEADER)
            .order(ByteOrder.nativeOrder())
            .putInt(INDEX_AT, ifindex)
            .array();
    return NetlinkMessages.request(RTM_GETLINK, header);
  }

  /** The id of the program on the XDP hook of the link in these messages. */
  static Optional<Long> xdpProgram(List<Message> messages) {
    return messages.stream()
        .filter(message -> message.type() == RTM_NEWLINK)
        .flatMap(
            message -> Optional.ofNullable(message.attributes(LINK_HEADER).get(IFLA_XDP)).stream())
        .flatMap(xdp -> Optional.ofNullable(attributes(xdp).get(IFLA_XDP_PROG_ID)).stream())
        .filter(id -> id.remaining() >= Integer.BYTES)
        .map(id -> Integer.toUnsignedLong(id.getInt(0)))
        .findFirst();
  }

  static List<NetworkDevice> devices(List<Message> messages) {
    return messages.stream()
        .filter(message -> message.type() == RTM_NEWLINK)
        .filter(message -> message.body().remaining() >= LINK_HEADER)
        .map(LinkMessages::device)
        .toList();
  }

  private static NetworkDevice device(Message message) {
    int index = message.body().getInt(INDEX_AT);
    Map<Integer, ByteBuffer> attributes = message.attributes(LINK_HEADER);
    ByteBuffer information = attributes.getOrDefault(IFLA_LINKINFO, ByteBuffer.allocate(0));
    Map<Integer, ByteBuffer> details = attributes(information);
    String kind = text(details.get(IFLA_INFO_KIND));
    boolean elsewhere = attributes.containsKey(IFLA_LINK_NETNSID) || PAIRED.contains(kind);
    return new NetworkDevice(
        index,
        text(attributes.get(IFLA_IFNAME)),
        altNames(attributes.get(IFLA_PROP_LIST)),
        Short.toUnsignedInt(message.body().getShort(TYPE_AT)),
        kind,
        elsewhere
            ? Optional.empty()
            : number(attributes.get(IFLA_LINK), index).or(() -> vxlanLink(kind, details, index)),
        number(attributes.get(IFLA_MASTER), index),
        isGreToAnyone(kind, details));
  }

  /**
   * Whether a layer-3 GRE device has no fixed peer: its remote address comes per packet from a
   * neighbour entry, or is a multicast group. The kernel shows and takes such a device's packets
   * with the outer header.
   */
  private static boolean isGreToAnyone(String kind, Map<Integer, ByteBuffer> details) {
    if (!kind.equals("gre") && !kind.equals("ip6gre")) {
      return false;
    }
    ByteBuffer data = details.getOrDefault(IFLA_INFO_DATA, ByteBuffer.allocate(0));
    Map<Integer, ByteBuffer> gre = attributes(data);
    if (gre.containsKey(IFLA_GRE_COLLECT_METADATA)) {
      return false;
    }
    ByteBuffer remote = gre.getOrDefault(IFLA_GRE_REMOTE, ByteBuffer.allocate(0));
    boolean none = true;
    for (int i = remote.position(); i < remote.limit(); i++) {
      none &= remote.get(i) == 0;
    }
    return none || (kind.equals("gre") && (remote.get(remote.position()) & 0xf0) == 0xe0);
  }

  private static Optional<Integer> vxlanLink(
      String kind, Map<Integer, ByteBuffer> details, int index) {
    ByteBuffer data = details.get(IFLA_INFO_DATA);
    return kind.equals("vxlan") && data != null
        ? number(attributes(data).get(IFLA_VXLAN_LINK), index)
        : Optional.empty();
  }

  private static List<String> altNames(@Nullable ByteBuffer properties) {
    return properties == null
        ? List.of()
        : attributeList(properties).stream()
            .filter(property -> property.type() == IFLA_ALT_IFNAME)
            .map(property -> text(property.value()))
            .toList();
  }

  /** The index of an interface other than this one. */
  private static Optional<Integer> number(@Nullable ByteBuffer value, int own) {
    return Optional.ofNullable(value)
        .filter(bytes -> bytes.remaining() >= Integer.BYTES)
        .map(bytes -> bytes.getInt(0))
        .filter(index -> index > 0 && index != own);
  }

  private static String text(@Nullable ByteBuffer value) {
    return value == null
        ? ""
        : StandardCharsets.UTF_8.decode(value.duplicate()).toString().replaceAll("\0.*", "");
  }
}
