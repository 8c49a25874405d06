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
 * Says which nodes may have a policy's current generation. It is told each selected node's stage
 * and keeps counts, so that a change of one node costs work for one node. All it knows comes from
 * node states: a gate made anew from the same stages goes on where its predecessor was.
 *
 * <p>A node that was admitted holds one of the places and goes on doing so until its stage is
 * another one, whoever comes before it by name. Not safe for use by several threads at once.
 */
public final class RolloutGate {
  private final RolloutLimits limits;
  private final Map<String, NodeStage> stages = new HashMap<>();
  // By name, so that the same stages admit the same nodes whatever came first.
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
   * Tells a node's stage.
   *
   * @return whether it is news
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
   * A node that the policy no longer concerns.
   *
   * @return whether it did
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
   * Admits as many nodes as may be, and takes admissions back where nodes came back into the
   * rollout meanwhile, or it halted.
   *
   * @return those that were not admitted before
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
    // They hold their places already.
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

  /** Nodes between two generations; those admitted but not written yet are among them. */
  public int inFlight() {
    return count(NodeStage.UNSETTLED)
        + count(NodeStage.CHANGING)
        + count(NodeStage.SETTLING)
        + admitted(NodeStage.WAITING).size();
  }

  /** Whether a node that has not this generation yet is to have it now. */
  public boolean admits(String node) {
    NodeStage stage = stages.get(node);
    return stage != null && admitted(stage).contains(node);
  }

  /** The node's stage; null where the policy does not concern it. */
  public @Nullable NodeStage stage(String node) {
    return stages.get(node);
  }

  /** The nodes that the policy concerns. */
  public Set<String> nodes() {
    return Collections.unmodifiableSet(stages.keySet());
  }

  /** How many nodes the policy concerns. */
  public int desired() {
    return stages.size();
  }

  /** How many nodes are in a stage. */
  public int count(NodeStage stage) {
    return counts.getOrDefault(stage, 0);
  }

  /** The nodes of a stage by name; none of a stage whose nodes are counted only. */
  public Set<String> named(NodeStage stage) {
    return Collections.unmodifiableSet(names(stage));
  }

  /** Nodes whose stage may be another by the time alone. */
  public Set<String> timed() {
    Set<String> nodes = new TreeSet<>(names(NodeStage.CHANGING));
    nodes.addAll(names(NodeStage.SETTLING));
    nodes.addAll(names(NodeStage.UNSETTLED));
    nodes.addAll(admitted(NodeStage.UNSETTLED));
    return nodes;
  }

  /** The nodes that failed, by name; those that went away while the rollout goes on are among. */
  public Set<String> failed() {
    Set<String> nodes = new TreeSet<>(names(NodeStage.FAILED));
    nodes.addAll(names(NodeStage.OVERDUE));
    if (!completed) {
      nodes.addAll(names(NodeStage.LOST));
    }
    return nodes;
  }

  /** How many nodes failed. */
  public int failures() {
    return count(NodeStage.FAILED)
        + count(NodeStage.OVERDUE)
        + (completed ? 0 : count(NodeStage.LOST));
  }

  /** How many nodes are on their way, or wait for the gate. */
  public int moving() {
    return count(NodeStage.UNCHANGED)
        + count(NodeStage.WAITING)
        + count(NodeStage.UNSETTLED)
        + count(NodeStage.CHANGING)
        + count(NodeStage.SETTLING);
  }

  /** Every node that could be reached has it, and none was lost on the way. */
  private boolean isAtItsEnd() {
    return count(NodeStage.DONE) > 0 && moving() == 0 && count(NodeStage.LOST) == 0;
  }

  /** Whether the rollout has come to its end once. */
  public boolean completed() {
    return completed;
  }

  /** It is known from elsewhere that the rollout has come to its end. */
  public void complete() {
    completed = true;
  }

  private NavigableSet<String> admitted(NodeStage stage) {
    return admitted.getOrDefault(stage, new TreeSet<>());
  }

  private NavigableSet<String> names(NodeStage stage) {
    return listed.getOrDefault(stage, new TreeSet<>());
  }

  /** More nodes failed than {@code maxFailures}: no node is admitted that would be changed. */
  public boolean halted() {
    return failures() > limits.maxFailures().of(desired());
  }

  /** What the policy says of its rollout. */
  public RolloutLimits limits() {
    return limits;
  }
}
