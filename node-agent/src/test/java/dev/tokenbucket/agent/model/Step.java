// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/**
 * What a process does without another coming in between. Running it gives the step that follows.
 */
@FunctionalInterface
interface Step {
  /** The end of a process. */
  Step END =
      () -> {
        throw new IllegalStateException("a process that has ended takes no step");
      };

  Step run();
}
