// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct head_classes} of match.h. The class of each head of an address, first IPv4's, then
 * IPv6's.
 */
public final class HeadClassesLayout {
  public static final Struct STRUCT = Struct.named("head_classes").u16("of", 2 * 65536).build();

  private HeadClassesLayout() {}
}
