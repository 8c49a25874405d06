// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code struct term_set} of hook.h. One bit per term. */
public final class TermSetLayout {
  public static final Struct STRUCT =
      Struct.named("term_set").u64("word", HookLimit.MAX_HOOK_TERMS / Long.SIZE).build();

  public static final Field WORD = STRUCT.field("word");

  private TermSetLayout() {}
}
