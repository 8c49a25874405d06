// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct hook_configuration} of hook.h. The read-only data that a hook's program is made
 * for.
 */
public final class HookConfigurationLayout {
  public static final Struct STRUCT =
      Struct.named("hook_configuration")
          .u32("egress")
          .u32("policy_count")
          .u32("features")
          .u32("ethernet")
          .u32("term_words")
          .u16("failsafe_ports", HookLimit.MAX_FAILSAFE_PORTS)
          .u32("pad")
          .u64("digest")
          .u64("unconditional")
          .u64("failsafe_policies")
          .struct("match_terms", TermSetLayout.STRUCT)
          .struct("exempt_terms", TermSetLayout.STRUCT)
          .struct("any_connection", TermSetLayout.STRUCT)
          .u8("term_policy", HookLimit.MAX_HOOK_TERMS)
          .u64("hash_key", 2)
          .struct("policy", HookPolicyLayout.STRUCT, HookLimit.MAX_HOOK_POLICIES)
          .build();

  public static final Field EGRESS = STRUCT.field("egress");
  public static final Field POLICY_COUNT = STRUCT.field("policy_count");
  public static final Field FEATURES = STRUCT.field("features");
  public static final Field ETHERNET = STRUCT.field("ethernet");
  public static final Field TERM_WORDS = STRUCT.field("term_words");
  public static final Field FAILSAFE_PORTS = STRUCT.field("failsafe_ports");
  public static final Field DIGEST = STRUCT.field("digest");
  public static final Field UNCONDITIONAL = STRUCT.field("unconditional");
  public static final Field FAILSAFE_POLICIES = STRUCT.field("failsafe_policies");
  public static final Field MATCH_TERMS = STRUCT.field("match_terms");
  public static final Field EXEMPT_TERMS = STRUCT.field("exempt_terms");
  public static final Field ANY_CONNECTION = STRUCT.field("any_connection");
  public static final Field TERM_POLICY = STRUCT.field("term_policy");
  public static final Field HASH_KEY = STRUCT.field("hash_key");
  public static final Field POLICY = STRUCT.field("policy");

  private HookConfigurationLayout() {}
}
