// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The framing of rtnetlink messages and their attributes (linux/netlink.h). Pure functions that
 * accept any input: malformed bytes yield the parts that can be read, and an error.
 */
final class NetlinkMessages {
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_REQUEST_ACK = 0x5;
  private static final int NLM_F_REQUEST_DUMP = 0x301;
  private static final int NLM_F_DUMP_INTR = 0x10;

  private static final int EBADMSG = 74;

  private static final int MESSAGE_HEADER = 16;
  private static final int ATTRIBUTE_HEADER = 4;

  /** The upper bits of an attribute's type are flags. */
  private static final int TYPE = 0x3fff;

  private NetlinkMessages() {}

  /** A message's type, RTM_*, and the bytes after its header. */
  record Message(int type, ByteBuffer body) {
    /** The attributes after a fixed header of {@code header} bytes, by type. */
    Map<Integer, ByteBuffer> attributes(int header) {
      return body.remaining() < header
          ? Map.of()
          : NetlinkMessages.attributes(slice(body, header, body.limit()));
    }
  }

  /**
   * The result of one read.
   *
   * @param last whether nothing follows
   * @param interrupted whether the kernel's list changed while it was read, so the dump may lack an
   *     entry
   * @param error why the list is incomplete, as a positive errno: the kernel's own, or EBADMSG if a
   *     message is cut short; otherwise 0
   */
  record Part(List<Message> messages, boolean last, boolean interrupted, int error) {}

  /**
   * A request for a list.
   *
   * @param type RTM_GET*
   * @param header the fixed header of that type
   */
  static byte[] dumpRequest(int type, byte[] header) {
    return request(type, NLM_F_REQUEST_DUMP, header);
  }

  /** A request for one object, whose answer ends with an acknowledgement. */
  static byte[] request(int type, byte[] header) {
    return request(type, NLM_F_REQUEST_ACK, header);
  }

  private static byte[] request(int type, int flags, byte[] header) {
    int size = MESSAGE_HEADER + header.length;
    return ByteBuffer.allocate(size)
        .order(ByteOrder.nativeOrder())
        .putInt(size)
        .putShort((short) type)
        .putShort((short) flags)
        .position(MESSAGE_HEADER)
        .put(header)
        .array();
  }

  static Part parse(byte[] bytes, int length) {
    ByteBuffer from = ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder());
    List<Message> messages = new ArrayList<>();
    boolean interrupted = false;
    if (length == 0) {
      return new Part(messages, true, false, EBADMSG);
    }
    while (from.remaining() >= MESSAGE_HEADER) {
      int start = from.position();
      int size = from.getInt(start);
      int type = Short.toUnsignedInt(from.getShort(start + 4));
      interrupted |= (from.getShort(start + 6) & NLM_F_DUMP_INTR) != 0;
      if (size < MESSAGE_HEADER || size > from.remaining()) {
        return new Part(messages, true, interrupted, EBADMSG);
      }
      if (type == NLMSG_DONE || type == NLMSG_ERROR) {
        int error = size >= MESSAGE_HEADER + 4 ? -from.getInt(start + MESSAGE_HEADER) : 0;
        return new Part(messages, true, interrupted, Math.max(0, error));
      }
      messages.add(new Message(type, slice(from, start + MESSAGE_HEADER, start + size)));
      from.position(Math.min(from.limit(), start + aligned(size)));
    }
    return new Part(messages, false, interrupted, 0);
  }

  /** The attributes by type. If a type occurs more than once, the last one counts. */
  static Map<Integer, ByteBuffer> attributes(ByteBuffer from) {
    Map<Integer, ByteBuffer> attributes = new HashMap<>();
    attributeList(from).forEach(each -> attributes.put(each.type(), each.value()));
    return attributes;
  }

  /** An attribute of a message. */
  record Attribute(int type, ByteBuffer value) {}

  /** The attributes in their order. */
  static List<Attribute> attributeList(ByteBuffer bytes) {
    ByteBuffer from = slice(bytes, bytes.position(), bytes.limit());
    List<Attribute> attributes = new ArrayList<>();
    while (from.remaining() >= ATTRIBUTE_HEADER) {
      int start = from.position();
      int size = Short.toUnsignedInt(from.getShort(start));
      if (size < ATTRIBUTE_HEADER || size > from.remaining()) {
        break;
      }
      attributes.add(
          new Attribute(
              from.getShort(start + 2) & TYPE,
              slice(from, start + ATTRIBUTE_HEADER, start + size)));
      from.position(Math.min(from.limit(), start + aligned(size)));
    }
    return attributes;
  }

  static ByteBuffer slice(ByteBuffer from, int start, int end) {
    return from.duplicate().limit(end).position(start).slice().order(ByteOrder.nativeOrder());
  }

  static int aligned(int size) {
    return (size + 3) & ~3;
  }
}
