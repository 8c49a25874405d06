package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.plan.NodePlan;
import org.jspecify.annotations.Nullable;

/** What a node's state is to be, beside what it is. */
public final class Composition {
  private final NodeView node;
  private final @Nullable StateView there;
  private final NodePlan plan;

  Composition(NodeView node, @Nullable StateView there, NodePlan plan) {
    this.node = node;
    this.there = there;
    this.plan = plan;
  }

  public NodeView node() {
    return node;
  }

  public NodePlan plan() {
    return plan;
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
            && node.uid().equals(there.ownerUid()));
  }

  /** Whether the node state is empty, and the node's kernel with it. */
  public boolean isOver() {
    return there != null && plan.entries().isEmpty() && there.confirmedEmpty();
  }

  /** The resource version of the node state that is there. */
  public String thereVersion() {
    return there == null ? "" : Long.toUnsignedString(there.version());
  }

  /** For the log: which generation of which policy is given. */
  public String summary() {
    return plan.entries().stream()
        .map(entry -> entry.name() + " generation " + entry.generation())
        .toList()
        .toString();
  }
}
