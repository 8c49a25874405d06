package dev.tokenbucket.agent.log;

/** From which severity on lines are written. */
public enum LogLevel {
  ERROR,
  WARN,
  INFO,
  DEBUG,
  TRACE
}
