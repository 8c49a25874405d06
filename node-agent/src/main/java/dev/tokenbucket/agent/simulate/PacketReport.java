// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import dev.tokenbucket.agent.kernel.MappedMap;
import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.PacketReportLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The outcome for a packet: {@code struct packet_report} of report.h. One object for all packets.
 */
public final class PacketReport {
  private final byte[] bytes = new byte[PacketReportLayout.STRUCT.size()];
  private final ByteBuffer struct = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  private boolean dropped;

  void take(MappedMap report, boolean wasDropped) {
    report.read(bytes);
    dropped = wasDropped;
  }

  public boolean isDropped() {
    return dropped;
  }

  /** Policies that match and exempt terms select for the packet, one bit each, in order. */
  public long matched() {
    return PacketReportLayout.MATCHED.getLong(struct);
  }

  /** Policies that judged the packet, one bit each, in order. */
  public long judged() {
    return PacketReportLayout.JUDGED.getLong(struct);
  }

  /** Judged policies that the packet exceeded. */
  public long exceeded() {
    return PacketReportLayout.EXCEEDED.getLong(struct);
  }

  /** Judged policies whose table had no place for the packet. */
  public long overflowed() {
    return PacketReportLayout.OVERFLOWED.getLong(struct);
  }

  /** Exceeded policies that mark the packet instead of dropping it. */
  public long marked() {
    return PacketReportLayout.MARKED.getLong(struct);
  }

  /** Exceeded policies whose parent bucket refused the packet, which its own bucket had not. */
  public long parentExceeded() {
    return PacketReportLayout.PARENT_EXCEEDED.getLong(struct);
  }

  /** Length in L2 bytes. */
  public long length() {
    return PacketReportLayout.BYTES.getLong(struct);
  }

  public boolean isFailsafe() {
    return struct.get(PacketReportLayout.FAILSAFE.offset()) != 0;
  }

  /**
   * The IP version, 4 or 6; 1 if the frame may be IP and can't be read; 0 if it is something else.
   */
  public int version() {
    return struct.get(PacketReportLayout.VERSION.offset());
  }

  public int protocol() {
    return Byte.toUnsignedInt(struct.get(PacketReportLayout.PROTOCOL.offset()));
  }

  public boolean hasPorts() {
    return struct.get(PacketReportLayout.HAS_PORTS.offset()) != 0;
  }

  /** The source address; valid, like the other fields, if {@link #version} is 4 or 6. */
  public String source() {
    return address(PacketReportLayout.SOURCE);
  }

  public String destination() {
    return address(PacketReportLayout.DESTINATION);
  }

  private String address(Field field) {
    int from = field.offset();
    return Addresses.text(
        Arrays.copyOfRange(bytes, from, from + (version() == 4 ? Integer.BYTES : 16)));
  }

  public int sourcePort() {
    return port(PacketReportLayout.SOURCE_PORT);
  }

  public int destinationPort() {
    return port(PacketReportLayout.DESTINATION_PORT);
  }

  private int port(Field field) {
    return Short.toUnsignedInt(ByteBuffer.wrap(bytes).getShort(field.offset()));
  }

  /** The struct; addresses and ports are in network order, as in the packet. */
  ByteBuffer struct() {
    return struct;
  }
}
