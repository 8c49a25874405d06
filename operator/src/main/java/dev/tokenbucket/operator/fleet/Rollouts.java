// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.RolloutGate;
import java.util.Map;
import java.util.Set;

/**
 * Keeps each policy's gate informed of its nodes' stages, and lets nodes through it. Reads the
 * fleet's nodes, states, policies and holders, and changes the gates alone. Not thread-safe.
 */
final class Rollouts {
  private final Map<String, NodeView> nodes;
  private final Map<String, StateView> states;
  private final Map<String, TrackedPolicy> policies;
  private final PolicyHolders holders;
  private final NodeStages stages;

  Rollouts(
      Map<String, NodeView> nodes,
      Map<String, StateView> states,
      Map<String, TrackedPolicy> policies,
      PolicyHolders holders,
      NodeStages stages) {
    this.nodes = nodes;
    this.states = states;
    this.policies = policies;
    this.holders = holders;
    this.stages = stages;
  }

  /** Whether a policy is to be on a node. */
  static boolean concerns(TrackedPolicy policy, String node) {
    return policy.gate() != null && policy.gate().stage(node) != null;
  }

  /** Passes every node's stage to a policy's gate. */
  void place(TrackedPolicy policy) {
    nodes.values().forEach(node -> place(policy, node));
  }

  /** Passes a node's stage to a policy's gate; returns whether the stage has changed. */
  boolean place(TrackedPolicy policy, NodeView node) {
    RolloutGate gate = policy.gate();
    if (gate == null || !(policy.intent() instanceof PolicyIntent.Enforced enforced)) {
      return false;
    }
    if (!enforced.concerns(node.labels())) {
      return gate.remove(node.name());
    }
    StateView state = states.get(node.name());
    return gate.put(node.name(), stages.of(enforced, gate.limits(), node, state));
  }

  /** Lets nodes through a policy's gate, as many as may change now. */
  void admit(TrackedPolicy policy, Affected affected) {
    if (policy.gate() != null) {
      Set<String> now = policy.gate().admit();
      affected.nodes().addAll(now);
      if (!now.isEmpty()) {
        affected.policies().add(policy.name());
      }
    }
  }

  /** A node, its labels or the contact with its agent has changed. */
  void nodeChanged(NodeView node, boolean relabelled, Affected affected) {
    boolean moved = false;
    for (TrackedPolicy policy : policies.values()) {
      boolean concerned = concerns(policy, node.name());
      if (place(policy, node) || holds(policy, node.name())) {
        affected.policies().add(policy.name());
      }
      moved |= concerned != concerns(policy, node.name());
      admit(policy, affected);
    }
    if (moved && relabelled) {
      // A policy's status includes the policies that share a node with it.
      policies.values().stream()
          .filter(policy -> concerns(policy, node.name()))
          .forEach(policy -> affected.policies().add(policy.name()));
    }
  }

  /**
   * A node is gone.
   *
   * @param admitting whether nodes may change already
   */
  void nodeRemoved(String name, boolean admitting, Affected affected) {
    for (TrackedPolicy policy : policies.values()) {
      if ((policy.gate() != null && policy.gate().remove(name)) || holds(policy, name)) {
        affected.policies().add(policy.name());
        if (admitting) {
          admit(policy, affected);
        }
      }
    }
  }

  void agentFellSilent(String name, Affected affected) {
    NodeView node = nodes.get(name);
    policies.values().stream()
        .filter(policy -> node != null && (place(policy, node) || isAwaited(policy, node)))
        .forEach(policy -> affected.policies().add(policy.name()));
  }

  /** Deadlines may have been missed, and times of waiting be over. */
  void timePassed(Affected affected) {
    for (TrackedPolicy policy : policies.values()) {
      for (String name : policy.gate() == null ? Set.<String>of() : policy.gate().timed()) {
        NodeView node = nodes.get(name);
        if (node != null && place(policy, node)) {
          affected.policies().add(policy.name());
        }
      }
      admit(policy, affected);
    }
  }

  private boolean holds(TrackedPolicy policy, String node) {
    return holders.contains(policy.uid(), node);
  }

  /** Whether a deletion waits for this node, and so is judged again when the agent falls silent. */
  private boolean isAwaited(TrackedPolicy policy, NodeView node) {
    return policy.deleting() && holds(policy, node.name());
  }
}
