// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct hook_policy} of hook.h. The configuration of one policy in a hook's program. Masks
 * are in network order.
 */
public final class HookPolicyLayout {
  public static final Struct STRUCT =
      Struct.named("hook_policy")
          .u32("slot")
          .u32("flags")
          .u32("ipv4_mask")
          .u32("ipv6_mask", 4)
          .u16("marking_slot")
          .u16("parent_slot")
          .u8("dscp")
          .u8("pad", 3)
          .build();

  public static final Field SLOT = STRUCT.field("slot");
  public static final Field FLAGS = STRUCT.field("flags");
  public static final Field IPV4_MASK = STRUCT.field("ipv4_mask");
  public static final Field IPV6_MASK = STRUCT.field("ipv6_mask");
  public static final Field MARKING_SLOT = STRUCT.field("marking_slot");
  public static final Field PARENT_SLOT = STRUCT.field("parent_slot");
  public static final Field DSCP = STRUCT.field("dscp");

  private HookPolicyLayout() {}
}
