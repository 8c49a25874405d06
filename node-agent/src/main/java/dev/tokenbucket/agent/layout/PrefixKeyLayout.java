// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct prefix_key} of match.h. A network: the number of bits of version and address that
 * count, the version and the address.
 */
public final class PrefixKeyLayout {
  public static final Struct STRUCT =
      Struct.named("prefix_key").u32("length").u32("version").u32("address", 4).build();

  public static final Field LENGTH = STRUCT.field("length");
  public static final Field VERSION = STRUCT.field("version");
  public static final Field ADDRESS = STRUCT.field("address");

  private PrefixKeyLayout() {}
}
