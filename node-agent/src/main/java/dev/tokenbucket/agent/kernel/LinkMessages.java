package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The messages of a dump of links (linux/rtnetlink.h, linux/if_link.h). Pure, and total: a message
 * that is cut short or odd gives what can be read of it.
 */
final class LinkMessages {
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_GETLINK = 18;
  private static final int NLM_F_REQUEST_DUMP = 0x301;

  private static final int MESSAGE_HEADER = 16;
  private static final int LINK_HEADER = 16;
  private static final int ATTRIBUTE_HEADER = 4;

  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_LINK = 5;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_LINK_NETNSID = 37;

  /** The upper bits of a type are flags. */
  private static final int TYPE = 0x3fff;

  /** Their IFLA_LINK is the other end, not what they stand on. */
  private static final Set<String> PAIRED = Set.of("veth", "netkit", "vxcan");

  private LinkMessages() {}

  /**
   * What one read gave.
   *
   * @param last nothing follows
   */
  record Part(List<NetworkDevice> devices, boolean last) {}

  /** The request for all links. */
  static byte[] request() {
    return ByteBuffer.allocate(MESSAGE_HEADER + LINK_HEADER)
        .order(ByteOrder.nativeOrder())
        .putInt(MESSAGE_HEADER + LINK_HEADER)
        .putShort((short) RTM_GETLINK)
        .putShort((short) NLM_F_REQUEST_DUMP)
        .array();
  }

  static Part parse(byte[] bytes, int length) {
    ByteBuffer from = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
    List<NetworkDevice> devices = new ArrayList<>();
    while (from.remaining() >= MESSAGE_HEADER) {
      int start = from.position();
      int size = from.getInt(start);
      int type = Short.toUnsignedInt(from.getShort(start + 4));
      if (type == NLMSG_DONE || type == NLMSG_ERROR) {
        return new Part(devices, true);
      }
      if (size < MESSAGE_HEADER || size > from.remaining()) {
        return new Part(devices, true);
      }
      if (type == RTM_NEWLINK && size >= MESSAGE_HEADER + LINK_HEADER) {
        devices.add(
            device(
                from.getInt(start + MESSAGE_HEADER + 4),
                attributes(slice(from, start + MESSAGE_HEADER + LINK_HEADER, start + size))));
      }
      from.position(Math.min(from.limit(), start + aligned(size)));
    }
    return new Part(devices, false);
  }

  private static NetworkDevice device(int index, Map<Integer, ByteBuffer> attributes) {
    ByteBuffer information = attributes.getOrDefault(IFLA_LINKINFO, ByteBuffer.allocate(0));
    String kind = text(attributes(information).get(IFLA_INFO_KIND));
    boolean elsewhere = attributes.containsKey(IFLA_LINK_NETNSID) || PAIRED.contains(kind);
    return new NetworkDevice(
        index,
        text(attributes.get(IFLA_IFNAME)),
        kind,
        elsewhere ? Optional.empty() : number(attributes.get(IFLA_LINK), index),
        number(attributes.get(IFLA_MASTER), index));
  }

  private static Map<Integer, ByteBuffer> attributes(ByteBuffer from) {
    Map<Integer, ByteBuffer> attributes = new HashMap<>();
    while (from.remaining() >= ATTRIBUTE_HEADER) {
      int start = from.position();
      int size = Short.toUnsignedInt(from.getShort(start));
      if (size < ATTRIBUTE_HEADER || size > from.remaining()) {
        break;
      }
      attributes.put(
          from.getShort(start + 2) & TYPE, slice(from, start + ATTRIBUTE_HEADER, start + size));
      from.position(Math.min(from.limit(), start + aligned(size)));
    }
    return attributes;
  }

  private static ByteBuffer slice(ByteBuffer from, int start, int end) {
    return from.duplicate().limit(end).position(start).slice().order(ByteOrder.nativeOrder());
  }

  private static int aligned(int size) {
    return (size + 3) & ~3;
  }

  /** An interface's number other than its own. */
  private static Optional<Integer> number(@Nullable ByteBuffer value, int own) {
    return Optional.ofNullable(value)
        .filter(bytes -> bytes.remaining() >= Integer.BYTES)
        .map(bytes -> bytes.getInt(0))
        .filter(index -> index > 0 && index != own);
  }

  private static String text(@Nullable ByteBuffer value) {
    return value == null
        ? ""
        : StandardCharsets.UTF_8.decode(value).toString().replaceAll("\0.*", "");
  }
}
