// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct number_classes} of match.h. The class of each 16-bit number; the index is the
 * number in network order.
 */
public final class NumberClassesLayout {
  public static final Struct STRUCT = Struct.named("number_classes").u16("of", 65536).build();

  private NumberClassesLayout() {}
}
