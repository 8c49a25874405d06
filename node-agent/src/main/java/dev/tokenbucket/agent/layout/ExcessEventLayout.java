// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct excess_event} of observe.h. A packet that exceeds, as the observer gets it. */
public final class ExcessEventLayout {
  public static final Struct STRUCT =
      Struct.named("excess_event")
          .u64("time")
          .u64("bytes")
          .u32("source", 4)
          .u32("destination", 4)
          .u32("segments")
          .u32("ifindex")
          .u32("slot")
          .u32("egress")
          .u16("source_port")
          .u16("destination_port")
          .u8("version")
          .u8("protocol")
          .u8("has_protocol")
          .u8("has_ports")
          .u8("outcome")
          .u8("pad", 7)
          .build();

  public static final Field TIME = STRUCT.field("time");
  public static final Field BYTES = STRUCT.field("bytes");
  public static final Field SOURCE = STRUCT.field("source");
  public static final Field DESTINATION = STRUCT.field("destination");
  public static final Field SEGMENTS = STRUCT.field("segments");
  public static final Field IFINDEX = STRUCT.field("ifindex");
  public static final Field SLOT = STRUCT.field("slot");
  public static final Field EGRESS = STRUCT.field("egress");
  public static final Field SOURCE_PORT = STRUCT.field("source_port");
  public static final Field DESTINATION_PORT = STRUCT.field("destination_port");
  public static final Field VERSION = STRUCT.field("version");
  public static final Field PROTOCOL = STRUCT.field("protocol");
  public static final Field HAS_PROTOCOL = STRUCT.field("has_protocol");
  public static final Field HAS_PORTS = STRUCT.field("has_ports");
  public static final Field OUTCOME = STRUCT.field("outcome");

  private ExcessEventLayout() {}
}
