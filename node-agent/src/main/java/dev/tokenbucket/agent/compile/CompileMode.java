package dev.tokenbucket.agent.compile;

import java.util.Locale;

/** Where the classifier's objects come from. */
public enum CompileMode {
  /** From the agent's jar, as built with it. */
  NEVER,
  /** From clang where there is one that works, else from the jar. */
  AUTO,
  /** From clang. */
  ALWAYS;

  /** As the command line has it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
