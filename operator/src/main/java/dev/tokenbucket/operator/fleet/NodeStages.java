// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.NodeProgress;
import dev.tokenbucket.operator.rollout.NodeStage;
import dev.tokenbucket.operator.rollout.RolloutLimits;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A node's stage for a policy, from everything known about the node. */
final class NodeStages {
  private final Refusals refusals;
  private final AgentContacts contacts;
  private final Clock clock;

  NodeStages(Refusals refusals, AgentContacts contacts, Clock clock) {
    this.refusals = refusals;
    this.contacts = contacts;
    this.clock = clock;
  }

  NodeStage of(
      PolicyIntent.Enforced policy,
      RolloutLimits limits,
      NodeView node,
      @Nullable StateView state) {
    Instant now = clock.instant();
    NodePolicy given = state == null ? null : state.entry(policy.uid());
    if (!policy.entry().equals(given) && refusals.find(node.name(), policy.uid()) != null) {
      return NodeStage.REFUSED;
    }
    return progress(policy.uid(), given, node, state, now)
        .stage(policy.entry(), limits, contacts.start(), now);
  }

  private NodeProgress progress(
      String uid,
      @Nullable NodePolicy given,
      NodeView node,
      @Nullable StateView state,
      Instant now) {
    StateView.Given at = state == null ? null : state.given().get(uid);
    return new NodeProgress(
        node.ready(),
        contacts.of(node, state, now),
        given,
        state == null ? null : state.answers().get(uid),
        state == null || state.speaksOf(uid),
        at == null ? Duration.ZERO : Duration.between(at.since(), now),
        state == null ? null : state.inForceSince().get(uid),
        node.readySince());
  }
}
