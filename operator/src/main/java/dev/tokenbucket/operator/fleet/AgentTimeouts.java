package dev.tokenbucket.operator.fleet;

import java.time.Duration;

/**
 * For how long agents are waited for.
 *
 * @param silence an agent that has said nothing for so long is silent; it speaks every two minutes
 *     at least
 * @param start how long an agent may take to speak for the first time
 */
public record AgentTimeouts(Duration silence, Duration start) {
  public static final AgentTimeouts DEFAULT =
      new AgentTimeouts(Duration.ofMinutes(5), Duration.ofMinutes(1));
}
