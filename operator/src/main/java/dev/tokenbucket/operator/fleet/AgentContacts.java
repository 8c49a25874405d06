// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.rollout.AgentContact;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which nodes' agents answer, and for which boot of the node. Not thread-safe. */
final class AgentContacts {
  private final AgentTimeouts timeouts;

  /** Nodes whose agent is known to be silent. */
  private final Set<String> silent = new HashSet<>();

  AgentContacts(AgentTimeouts timeouts) {
    this.timeouts = timeouts;
  }

  /** How long an agent may take to report for the first time. */
  Duration start() {
    return timeouts.start();
  }

  /**
   * The contact with a node's agent. Without a node state, nothing shows that the agent fails to
   * answer.
   */
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

  /**
   * Whether an agent is silent. Agents of versions that report no contact time never count as
   * silent.
   */
  private boolean isSilent(StateView state, Instant now) {
    return state.contact() != null && state.contact().plus(timeouts.silence()).isBefore(now);
  }

  static boolean isOfEarlierBoot(NodeView node, StateView state) {
    return node.bootId() != null && state.bootId() != null && !node.bootId().equals(state.bootId());
  }

  /**
   * Records a node state's new version.
   *
   * @return whether the contact with the agent may have changed, for any policy
   */
  boolean changed(NodeView node, @Nullable StateView before, StateView state, Instant now) {
    heard(state.name());
    return before == null
        || before.reported() != state.reported()
        || isSilent(before, now)
        || isOfEarlierBoot(node, before) != isOfEarlierBoot(node, state)
        || isSilent(state, now);
  }

  /** Marks an agent as heard: its next silence counts as a change again. */
  void heard(String node) {
    silent.remove(node);
  }

  /** The nodes whose agents have fallen silent since the last call. */
  List<String> fallenSilent(Collection<StateView> states, Instant now) {
    return states.stream()
        .filter(state -> isSilent(state, now))
        .map(StateView::name)
        .filter(silent::add)
        .toList();
  }
}
