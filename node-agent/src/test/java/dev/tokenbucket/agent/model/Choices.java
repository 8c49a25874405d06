// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/** Decides whatever a run leaves open: whose step is next, how much time passes, what arrives. */
@FunctionalInterface
interface Choices {
  /** A number from 0 to {@code n} - 1. */
  int below(int n);

  /** True once in {@code n} times. */
  default boolean onceIn(int n) {
    return below(n) == 0;
  }

  /** A number from {@code low} to {@code high}, both included. */
  default int between(int low, int high) {
    return low + below(high - low + 1);
  }
}
