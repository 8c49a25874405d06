// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct packet_report} of report.h. The outcome of a packet in a replay. */
public final class PacketReportLayout {
  /** The section that holds the report, and the name of its map. */
  public static final String SECTION = ".data.report";

  public static final Struct STRUCT =
      Struct.named("packet_report")
          .u64("matched")
          .u64("judged")
          .u64("exceeded")
          .u64("overflowed")
          .u64("marked")
          .u64("parent_exceeded")
          .u64("bytes")
          .u32("source", 4)
          .u32("destination", 4)
          .u32("segments")
          .u16("source_port")
          .u16("destination_port")
          .u8("version")
          .u8("protocol")
          .u8("has_ports")
          .u8("failsafe")
          .u8("pad", 4)
          .build();

  public static final Field MATCHED = STRUCT.field("matched");
  public static final Field JUDGED = STRUCT.field("judged");
  public static final Field EXCEEDED = STRUCT.field("exceeded");
  public static final Field OVERFLOWED = STRUCT.field("overflowed");
  public static final Field MARKED = STRUCT.field("marked");
  public static final Field PARENT_EXCEEDED = STRUCT.field("parent_exceeded");
  public static final Field BYTES = STRUCT.field("bytes");
  public static final Field SOURCE = STRUCT.field("source");
  public static final Field DESTINATION = STRUCT.field("destination");
  public static final Field SEGMENTS = STRUCT.field("segments");
  public static final Field SOURCE_PORT = STRUCT.field("source_port");
  public static final Field DESTINATION_PORT = STRUCT.field("destination_port");
  public static final Field VERSION = STRUCT.field("version");
  public static final Field PROTOCOL = STRUCT.field("protocol");
  public static final Field HAS_PORTS = STRUCT.field("has_ports");
  public static final Field FAILSAFE = STRUCT.field("failsafe");

  private PacketReportLayout() {}
}
