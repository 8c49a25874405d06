// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct flow_key} of maps.h. A 5-tuple, or a pair of addresses. */
public final class FlowKeyLayout {
  public static final Struct STRUCT =
      Struct.named("flow_key")
          .u32("source", 4)
          .u32("destination", 4)
          .u16("source_port")
          .u16("destination_port")
          .u8("protocol")
          .u8("version")
          .u8("pad", 2)
          .build();

  private FlowKeyLayout() {}
}
