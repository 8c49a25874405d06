// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct failsafe_key} of failsafe.h. A service and the peer that may be at its other end.
 */
public final class FailsafeKeyLayout {
  public static final Struct STRUCT =
      Struct.named("failsafe_key")
          .u32("length")
          .u16("port")
          .u8("protocol")
          .u8("version")
          .u32("address", 4)
          .build();

  public static final Field LENGTH = STRUCT.field("length");
  public static final Field PORT = STRUCT.field("port");
  public static final Field PROTOCOL = STRUCT.field("protocol");
  public static final Field VERSION = STRUCT.field("version");
  public static final Field ADDRESS = STRUCT.field("address");

  private FailsafeKeyLayout() {}
}
