package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.rollout.AgentContact;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * For how long agents are waited for.
 *
 * @param silence an agent that has said nothing for so long is silent; it speaks every two minutes
 *     at least
 * @param start how long an agent may take to speak for the first time
 */
public record Patience(Duration silence, Duration start) {
  public static final Patience DEFAULT = new Patience(Duration.ofMinutes(5), Duration.ofMinutes(1));

  /** What is known of a node's agent; where there is no node state, nothing speaks against it. */
  AgentContact contact(NodeView node, @Nullable StateView state, Instant now) {
    if (state == null) {
      return AgentContact.CURRENT;
    }
    if (!state.told()) {
      return AgentContact.NEVER;
    }
    if (isSilent(state, now)) {
      return AgentContact.SILENT;
    }
    return isOfEarlierBoot(node, state) ? AgentContact.REBOOTED : AgentContact.CURRENT;
  }

  /** Agents of before there was a time of contact are not judged by it. */
  boolean isSilent(StateView state, Instant now) {
    return state.contact() != null && state.contact().plus(silence).isBefore(now);
  }

  static boolean isOfEarlierBoot(NodeView node, StateView state) {
    return node.bootId() != null && state.bootId() != null && !node.bootId().equals(state.bootId());
  }
}
