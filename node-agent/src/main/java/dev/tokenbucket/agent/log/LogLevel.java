// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

/** The lowest severity that is written. */
public enum LogLevel {
  ERROR,
  WARN,
  INFO,
  DEBUG,
  TRACE
}
