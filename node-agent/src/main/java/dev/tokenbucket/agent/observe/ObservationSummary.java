// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

/**
 * What happened to the packets that exceeded while the observer looked. A packet that the kernel
 * has merged from several counts as one.
 *
 * @param shown the excesses that were shown
 * @param suppressed those that were not, on demand: the sum of the next three
 * @param lost those that the ring had no room for
 */
public record ObservationSummary(
    String schema,
    long shown,
    long suppressed,
    long suppressedBySample,
    long suppressedByRate,
    long suppressedByCount,
    long lost) {
  /** The version rises with a change that breaks readers of the previous schema. */
  static final String SCHEMA = "tokenbucket.dev/observe/v1";

  static ObservationSummary of(long seen, long shown, long sampledOut, long overRate, long lost) {
    long afterCount = Math.max(0, seen - shown - sampledOut - overRate - lost);
    return new ObservationSummary(
        SCHEMA, shown, sampledOut + overRate + afterCount, sampledOut, overRate, afterCount, lost);
  }
}
