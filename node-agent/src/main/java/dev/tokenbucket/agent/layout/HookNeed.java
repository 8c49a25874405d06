// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum hook_need} of hook.h. The features that ask for fields of first fragments only, which
 * are therefore remembered.
 */
public final class HookNeed {
  public static final int HOOK_REMEMBERS_FIRST =
      PolicyFlag.POLICY_PER_FLOW
          | HookFeature.HOOK_MATCHES_SOURCE_PORT
          | HookFeature.HOOK_MATCHES_DESTINATION_PORT
          | HookFeature.HOOK_MATCHES_ICMP;

  private HookNeed() {}
}
