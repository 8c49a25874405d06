// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Decides which nodes may have a policy's current generation. The gate receives each selected
 * node's stage and keeps counts, so that a change of one node costs work for one node. Everything
 * it knows comes from node states: a new gate built from the same stages continues where its
 * predecessor was.
 *
 * <p>An admitted node holds one of the places until its stage changes, whatever nodes come before
 * it by name. Not thread-safe.
 */
public final class RolloutGate {
  private final RolloutLimits limits;
  private final Map<String, NodeStage> stages = new HashMap<>();
  // By name, so that the same stages admit the same nodes, whatever stage came first.
  private final Map<NodeStage, NavigableSet<String>> listed = new EnumMap<>(NodeStage.class);
  private final Map<NodeStage, Integer> counts = new EnumMap<>(NodeStage.class);
  private final Map<NodeStage, NavigableSet<String>> admitted = new EnumMap<>(NodeStage.class);
  private boolean completed;

  public RolloutGate(RolloutLimits limits) {
    this.limits = limits;
    for (NodeStage stage : NodeStage.values()) {
      listed.put(stage, new TreeSet<>());
      admitted.put(stage, new TreeSet<>());
      counts.put(stage, 0);
    }
  }

  /**
   * Records a node's stage.
   *
   * @return whether the stage has changed
   */
  public boolean put(String node, NodeStage stage) {
    if (stages.get(node) == stage) {
      return false;
    }
    remove(node);
    stages.put(node, stage);
    counts.merge(stage, 1, Integer::sum);
    if (stage.listed()) {
      names(stage).add(node);
    }
    return true;
  }

  /**
   * Removes a node that the policy no longer concerns.
   *
   * @return whether the gate knew the node
   */
  public boolean remove(String node) {
    NodeStage before = stages.remove(node);
    if (before == null) {
      return false;
    }
    counts.merge(before, -1, Integer::sum);
    names(before).remove(node);
    admitted(before).remove(node);
    return true;
  }

  /**
   * Admits as many nodes as allowed, and revokes admissions if nodes came back into the rollout
   * meanwhile, or the rollout halted.
   *
   * @return the nodes that were not admitted before
   */
  public Set<String> admit() {
    completed |= isAtItsEnd();
    boolean open = !limits.paused() && !halted();
    int free =
        limits.concurrent().of(desired())
            - count(NodeStage.UNSETTLED)
            - count(NodeStage.CHANGING)
            - count(NodeStage.SETTLING);
    Set<String> now = new TreeSet<>();
    admit(NodeStage.UNCHANGED, Integer.MAX_VALUE, now);
    // These nodes already hold their places.
    admit(NodeStage.UNSETTLED, open ? Integer.MAX_VALUE : 0, now);
    admit(NodeStage.WAITING, open ? Math.max(0, free) : 0, now);
    return now;
  }

  private void admit(NodeStage stage, int places, Set<String> now) {
    NavigableSet<String> waiting = names(stage);
    NavigableSet<String> in = admitted(stage);
    while (in.size() > places) {
      waiting.add(in.pollLast());
    }
    while (in.size() < places && !waiting.isEmpty()) {
      String node = waiting.pollFirst();
      in.add(node);
      now.add(node);
    }
  }

  /**
   * The number of nodes between two generations, including nodes that are admitted but not written
   * yet.
   */
  public int inFlight() {
    return count(NodeStage.UNSETTLED)
        + count(NodeStage.CHANGING)
        + count(NodeStage.SETTLING)
        + admitted(NodeStage.WAITING).size();
  }

  /** Whether a node that does not have this generation yet should get it now. */
  public boolean admits(String node) {
    NodeStage stage = stages.get(node);
    return stage != null && admitted(stage).contains(node);
  }

  /** The node's stage; null if the policy does not concern the node. */
  public @Nullable NodeStage stage(String node) {
    return stages.get(node);
  }

  /** The nodes that the policy concerns. */
  public Set<String> nodes() {
    return Collections.unmodifiableSet(stages.keySet());
  }

  /** The number of nodes that the policy concerns. */
  public int desired() {
    return stages.size();
  }

  /** The number of nodes in a stage. */
  public int count(NodeStage stage) {
    return counts.getOrDefault(stage, 0);
  }

  /** The nodes in a stage, by name; empty for a stage whose nodes are only counted. */
  public Set<String> named(NodeStage stage) {
    return Collections.unmodifiableSet(names(stage));
  }

  /** The nodes whose stage may change with time alone. */
  public Set<String> timed() {
    Set<String> nodes = new TreeSet<>(names(NodeStage.CHANGING));
    nodes.addAll(names(NodeStage.SETTLING));
    nodes.addAll(names(NodeStage.UNSETTLED));
    nodes.addAll(admitted(NodeStage.UNSETTLED));
    return nodes;
  }

  /** The nodes that failed, by name, including nodes that went away during the rollout. */
  public Set<String> failed() {
    Set<String> nodes = new TreeSet<>(names(NodeStage.FAILED));
    nodes.addAll(names(NodeStage.OVERDUE));
    if (!completed) {
      nodes.addAll(names(NodeStage.LOST));
    }
    return nodes;
  }

  /** The number of nodes that failed. */
  public int failures() {
    return count(NodeStage.FAILED)
        + count(NodeStage.OVERDUE)
        + (completed ? 0 : count(NodeStage.LOST));
  }

  /** The number of nodes that are changing, or wait for the gate. */
  public int moving() {
    return count(NodeStage.UNCHANGED)
        + count(NodeStage.WAITING)
        + count(NodeStage.UNSETTLED)
        + count(NodeStage.CHANGING)
        + count(NodeStage.SETTLING);
  }

  /** Whether every reachable node has the generation, and none was lost during the rollout. */
  private boolean isAtItsEnd() {
    return count(NodeStage.DONE) > 0 && moving() == 0 && count(NodeStage.LOST) == 0;
  }

  /** Whether the rollout has completed once. */
  public boolean completed() {
    return completed;
  }

  /** Marks the rollout as completed, when another source shows that it has. */
  public void complete() {
    completed = true;
  }

  private NavigableSet<String> admitted(NodeStage stage) {
    return admitted.getOrDefault(stage, new TreeSet<>());
  }

  private NavigableSet<String> names(NodeStage stage) {
    return listed.getOrDefault(stage, new TreeSet<>());
  }

  /**
   * Whether the rollout is halted: more nodes failed than {@code maxFailures} allows. A halted
   * rollout admits no node whose policy would change.
   */
  public boolean halted() {
    return failures() > limits.maxFailures().of(desired());
  }

  /** The policy's rollout limits. */
  public RolloutLimits limits() {
    return limits;
  }
}
