package dev.tokenbucket.agent.layout;

/**
 * {@code enum hook_need} of hook.h. What asks for what first fragments alone have, and so has it
 * remembered.
 */
public final class HookNeed {
  public static final int HOOK_REMEMBERS_FIRST =
      PolicyFlag.POLICY_PER_FLOW
          | HookFeature.HOOK_MATCHES_SOURCE_PORT
          | HookFeature.HOOK_MATCHES_DESTINATION_PORT
          | HookFeature.HOOK_MATCHES_ICMP;

  private HookNeed() {}
}
