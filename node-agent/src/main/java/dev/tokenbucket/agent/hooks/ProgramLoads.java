// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import java.time.Duration;

/**
 * Programs that the kernel has verified and loaded for hooks.
 *
 * @param count programs since the agent's start
 * @param time total time of these loads; several programs may be loaded at a time
 */
public record ProgramLoads(long count, Duration time) {
  static final ProgramLoads NONE = new ProgramLoads(0, Duration.ZERO);

  ProgramLoads and(Duration one) {
    return new ProgramLoads(count + 1, time.plus(one));
  }
}
