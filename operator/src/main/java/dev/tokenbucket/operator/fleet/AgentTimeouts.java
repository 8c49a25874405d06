// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.time.Duration;

/**
 * How long the operator waits for agents.
 *
 * @param silence an agent that has reported nothing for this time is silent; an agent reports at
 *     least every two minutes
 * @param start how long an agent may take to report for the first time
 */
public record AgentTimeouts(Duration silence, Duration start) {
  public static final AgentTimeouts DEFAULT =
      new AgentTimeouts(Duration.ofMinutes(5), Duration.ofMinutes(1));
}
