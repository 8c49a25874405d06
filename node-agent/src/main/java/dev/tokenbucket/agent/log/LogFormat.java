// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import java.util.Locale;

/** The format of log lines. */
public enum LogFormat {
  /** For people. */
  TEXT,
  /** One object per line. */
  JSON;

  /** The format's name on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
