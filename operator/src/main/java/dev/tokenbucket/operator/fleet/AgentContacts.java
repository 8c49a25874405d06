package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.rollout.AgentContact;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which nodes' agents answer, and for which boot of the node. One thread at a time. */
final class AgentContacts {
  private final AgentTimeouts timeouts;

  /** Nodes whose agent was found to be silent. */
  private final Set<String> silent = new HashSet<>();

  AgentContacts(AgentTimeouts timeouts) {
    this.timeouts = timeouts;
  }

  /** How long an agent may take to speak for the first time. */
  Duration start() {
    return timeouts.start();
  }

  /** What is known of a node's agent; where there is no node state, nothing speaks against it. */
  AgentContact of(NodeView node, @Nullable StateView state, Instant now) {
    if (state == null) {
      return AgentContact.CURRENT;
    }
    if (!state.reported()) {
      return AgentContact.NEVER;
    }
    if (isSilent(state, now)) {
      return AgentContact.SILENT;
    }
    return isOfEarlierBoot(node, state) ? AgentContact.REBOOTED : AgentContact.CURRENT;
  }

  /** Agents of before there was a time of contact are not judged by it. */
  private boolean isSilent(StateView state, Instant now) {
    return state.contact() != null && state.contact().plus(timeouts.silence()).isBefore(now);
  }

  static boolean isOfEarlierBoot(NodeView node, StateView state) {
    return node.bootId() != null && state.bootId() != null && !node.bootId().equals(state.bootId());
  }

  /**
   * Reads a node state's new version.
   *
   * @return whether what is known of the agent is another thing now, for any policy
   */
  boolean changed(NodeView node, @Nullable StateView before, StateView state, Instant now) {
    heard(state.name());
    return before == null
        || before.reported() != state.reported()
        || isSilent(before, now)
        || isOfEarlierBoot(node, before) != isOfEarlierBoot(node, state)
        || isSilent(state, now);
  }

  /** From now on its silence is news again. */
  void heard(String node) {
    silent.remove(node);
  }

  /** The nodes whose agents have fallen silent since the last look. */
  List<String> fallenSilent(Collection<StateView> states, Instant now) {
    return states.stream()
        .filter(state -> isSilent(state, now))
        .map(StateView::name)
        .filter(silent::add)
        .toList();
  }
}
