package dev.tokenbucket.agent.log;

import java.util.Locale;

/** How a log line is written. */
public enum LogFormat {
  /** For people. */
  TEXT,
  /** An object a line. */
  JSON;

  /** As on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
