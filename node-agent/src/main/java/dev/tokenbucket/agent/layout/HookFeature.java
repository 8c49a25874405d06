// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum hook_feature} of hook.h. The packet fields that the terms of a hook ask for, and
 * whether failsafes are on.
 */
public final class HookFeature {
  public static final int HOOK_MATCHES_PROTOCOL = 1 << 16;
  public static final int HOOK_MATCHES_SOURCE = 1 << 17;
  public static final int HOOK_MATCHES_DESTINATION = 1 << 18;
  public static final int HOOK_MATCHES_SOURCE_PORT = 1 << 19;
  public static final int HOOK_MATCHES_DESTINATION_PORT = 1 << 20;
  public static final int HOOK_MATCHES_NEW_CONNECTIONS = 1 << 21;
  public static final int HOOK_FAILSAFE = 1 << 22;
  public static final int HOOK_FAILSAFE_PEERS = 1 << 23;
  public static final int HOOK_MATCHES_TCP_FLAGS = 1 << 24;
  public static final int HOOK_MATCHES_ICMP = 1 << 25;
  public static final int HOOK_MATCHES_DSCP = 1 << 26;
  public static final int HOOK_MATCHES_LENGTH = 1 << 27;
  public static final int HOOK_MATCHES_FRAGMENT = 1 << 28;

  private HookFeature() {}
}
