// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum hook_limit} of hook.h. The limits of one hook. */
public final class HookLimit {
  public static final int MAX_HOOK_POLICIES = 64;
  public static final int MAX_HOOK_TERMS = 256;
  public static final int MAX_FAILSAFE_PORTS = 8;

  private HookLimit() {}
}
