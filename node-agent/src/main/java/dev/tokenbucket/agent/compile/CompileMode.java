// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import java.util.Locale;

/** Where the classifier's objects come from. */
public enum CompileMode {
  /** From the agent's jar, which holds the objects built with it. */
  NEVER,
  /** From clang if there is a working one, otherwise from the jar. */
  AUTO,
  /** From clang. */
  ALWAYS;

  /** The mode's name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
