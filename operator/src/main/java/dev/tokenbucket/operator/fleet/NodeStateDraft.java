// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.operator.plan.NodePlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A node's wanted node state, beside the existing one. */
public final class NodeStateDraft {
  private final NodeView node;
  private final @Nullable StateView there;
  private final NodePlan plan;
  private final @Nullable NodeFailsafe failsafe;

  NodeStateDraft(
      NodeView node, @Nullable StateView there, NodePlan plan, @Nullable NodeFailsafe failsafe) {
    this.node = node;
    this.there = there;
    this.plan = plan;
    this.failsafe = failsafe;
  }

  public NodeView node() {
    return node;
  }

  public NodePlan plan() {
    return plan;
  }

  /** The spec to write. */
  public TokenBucketNodeStateSpec spec() {
    return plan.spec(failsafe);
  }

  /** Whether the node state has to be written. */
  public boolean differs() {
    if (there == null) {
      return !plan.entries().isEmpty();
    }
    return !there.deleting()
        && !(there.ours()
            && plan.entries().equals(there.entries())
            && plan.overlaps().equals(there.overlaps())
            && Objects.equals(failsafe, there.failsafe())
            && node.uid().equals(there.ownerUid()));
  }

  /**
   * Whether the node state is empty, and the agent has confirmed that the node's kernel is, too.
   */
  public boolean isOver() {
    return there != null && plan.entries().isEmpty() && there.confirmedEmpty();
  }

  /** The resource version of the existing node state. */
  public String thereVersion() {
    return there == null ? "" : Long.toUnsignedString(there.version());
  }

  /** For the log: the entries added, and those removed. */
  public String changes() {
    List<NodePolicy> before = there == null ? List.of() : there.entries();
    List<String> texts = new ArrayList<>();
    plan.entries().stream()
        .filter(entry -> !before.contains(entry))
        .forEach(entry -> texts.add(entry.name() + " generation " + entry.generation()));
    before.stream()
        .filter(entry -> plan.entries().stream().noneMatch(e -> e.uid().equals(entry.uid())))
        .forEach(entry -> texts.add("removed " + entry.name()));
    if (there != null && !Objects.equals(failsafe, there.failsafe())) {
      texts.add("changed exemptions");
    }
    return texts.isEmpty() ? "restored" : String.join(", ", texts);
  }
}
