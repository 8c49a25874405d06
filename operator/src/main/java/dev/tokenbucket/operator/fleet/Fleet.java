package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.failsafe.FailsafeDiscovery;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.NodeProgress;
import dev.tokenbucket.operator.rollout.NodeStage;
import dev.tokenbucket.operator.rollout.RolloutGate;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Nodes, policies and node states as last seen, each policy's rollout, and the indexes between
 * them. It is told what changed and answers which nodes and policies have to be looked at; a change
 * costs work for what it touches. It holds nothing that is not in the API: made anew from the same
 * objects it gives the same answers. Safe for use by several threads.
 */
public final class Fleet {
  /** The field manager of the operator's writes. */
  public static final String FIELD_MANAGER = "tokenbucket-operator";

  private final EntryPool pool = new EntryPool();
  private final NodeStatePlanner planner = new NodeStatePlanner(pool);
  private final Map<String, NodeView> nodes = new HashMap<>();
  private final Map<String, StateView> states = new HashMap<>();
  private final Map<String, TrackedPolicy> policies = new TreeMap<>();

  /** Nodes whose node state lists a policy in spec or status, by the policy's uid. */
  private final Map<String, Set<String>> holders = new HashMap<>();

  private final Room room = new Room(planner);
  private final FailsafeDiscovery failsafes;
  private boolean open;

  /** With no failsafes to be told of. */
  public Fleet() {
    this(FailsafeSettings.NONE);
  }

  public Fleet(FailsafeSettings settings) {
    failsafes = new FailsafeDiscovery(settings);
  }

  /**
   * Everything there is has been told: from now on changes have an effect. Before, a node would be
   * taken for one without policies, and a rollout for one that has not begun.
   */
  public synchronized Wakes open() {
    open = true;
    Wakes wakes = Wakes.none();
    room.refresh(policies.values(), nodes.values());
    for (TrackedPolicy policy : policies.values()) {
      nodes.values().forEach(node -> place(policy, node));
      admit(policy, wakes);
      wakes.policies().add(policy.name());
    }
    wakes.nodes().addAll(nodes.keySet());
    return wakes;
  }

  /**
   * The nodes that are there, before it is opened. They are read while nothing else is told: one
   * that is deleted meanwhile is told of afterwards.
   */
  public synchronized void loadNodes(Supplier<Stream<Node>> there) {
    there.get().forEach(this::put);
  }

  /** The policies that are there; see {@link #loadNodes}. */
  public synchronized void loadPolicies(Supplier<Stream<TokenBucketPolicy>> there) {
    there.get().forEach(this::put);
  }

  /** A node as found in the API. */
  public synchronized Wakes put(Node resource) {
    NodeView node = NodeView.of(resource, failsafes.kubeletPort(resource));
    NodeView before = nodes.get(node.name());
    if (before != null && !Versions.newer(node.version(), before.version())) {
      return Wakes.none();
    }
    nodes.put(node.name(), node);
    Wakes wakes = exempt(failsafes.put(resource));
    if (open && (before == null || !node.saysTheSameAs(before))) {
      wakes.nodes().add(node.name());
      room.refresh(policies.values(), List.of(node));
      replace(node, before == null || !before.labels().equals(node.labels()), wakes);
    }
    return wakes;
  }

  private void replace(NodeView node, boolean relabelled, Wakes wakes) {
    boolean moved = false;
    for (TrackedPolicy policy : policies.values()) {
      boolean concerned = concerns(policy, node.name());
      if (place(policy, node) || holds(policy, node.name())) {
        wakes.policies().add(policy.name());
      }
      moved |= concerned != concerns(policy, node.name());
      admit(policy, wakes);
    }
    if (moved && relabelled) {
      // Which policies share a node is part of their status.
      policies.values().stream()
          .filter(policy -> concerns(policy, node.name()))
          .forEach(policy -> wakes.policies().add(policy.name()));
    }
  }

  /** What is exempt is written into every node state that is there. */
  private Wakes exempt(boolean changed) {
    Wakes wakes = Wakes.none();
    if (changed && open) {
      states.keySet().stream().filter(nodes::containsKey).forEach(wakes.nodes()::add);
    }
    return wakes;
  }

  /** A slice of the API servers' endpoints as found in the API. */
  public synchronized Wakes put(EndpointSlice slice) {
    return exempt(failsafes.put(slice));
  }

  /** A slice that is gone. */
  public synchronized Wakes removeSlice(String name) {
    return exempt(failsafes.removeSlice(name));
  }

  /** A node that is gone. */
  public synchronized Wakes removeNode(String name) {
    if (nodes.remove(name) == null) {
      return Wakes.none();
    }
    Wakes wakes = exempt(failsafes.removeNode(name));
    room.forget(name);
    for (TrackedPolicy policy : policies.values()) {
      if ((policy.gate() != null && policy.gate().remove(name)) || holds(policy, name)) {
        wakes.policies().add(policy.name());
        admit(policy, wakes);
      }
    }
    return wakes;
  }

  /** A policy as found in the API. */
  public synchronized Wakes put(TokenBucketPolicy resource) {
    TrackedPolicy before = policies.get(resource.getMetadata().getUid());
    if (before != null && before.covers(resource)) {
      return Wakes.none();
    }
    TrackedPolicy policy = TrackedPolicy.of(resource);
    policies.put(policy.uid(), policy);
    Wakes wakes = Wakes.none();
    if (open) {
      nodes.values().forEach(node -> place(policy, node));
      policiesChanged(policy.uid(), wakes);
    }
    return wakes;
  }

  /** A policy that is gone. */
  public synchronized Wakes removePolicy(String uid) {
    Wakes wakes = Wakes.none();
    if (policies.remove(uid) != null && open) {
      policiesChanged(uid, wakes);
    }
    return wakes;
  }

  private void policiesChanged(String uid, Wakes wakes) {
    pool.forgetOverlaps();
    for (String name : room.refresh(policies.values(), nodes.values())) {
      NodeView node = nodes.get(name);
      if (node != null) {
        policies.values().forEach(policy -> place(policy, node));
        wakes.nodes().add(name);
      }
    }
    policies.values().forEach(policy -> admit(policy, wakes));
    // Every policy's overlaps may be others now; every node that has this one may have to drop it.
    policies.values().forEach(policy -> wakes.policies().add(policy.name()));
    TrackedPolicy policy = policies.get(uid);
    holders.getOrDefault(uid, Set.of()).stream()
        .filter(node -> policy == null || !concerns(policy, node))
        .forEach(wakes.nodes()::add);
  }

  /** A node state as found in the API, or as it was answered to a write. */
  public synchronized Wakes put(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    if (before != null && !Versions.newer(Versions.of(resource), before.version())) {
      return Wakes.none();
    }
    StateView state = StateView.of(resource, before, pool);
    states.put(name, state);
    return changed(name, before, state);
  }

  /** A node state that is gone. */
  public synchronized Wakes removeState(String name, @Nullable String uid) {
    StateView before = states.get(name);
    if (before == null || (uid != null && !uid.equals(before.uid()))) {
      return Wakes.none();
    }
    states.remove(name);
    return changed(name, before, null);
  }

  private Wakes changed(String name, @Nullable StateView before, @Nullable StateView now) {
    Wakes wakes = Wakes.none();
    Set<String> touched = touched(before, now);
    touched.forEach(uid -> index(uid, name, now));
    if (!open) {
      return wakes;
    }
    NodeView node = nodes.get(name);
    for (String uid : touched) {
      TrackedPolicy policy = policies.get(uid);
      if (policy != null) {
        wakes.policies().add(policy.name());
        if (node != null) {
          place(policy, node);
          admit(policy, wakes);
        }
      }
    }
    if (node != null && concernsThePlan(before, now)) {
      wakes.nodes().add(name);
    }
    return wakes;
  }

  /** Its spec or its owner was changed, or the agent said something of an empty one. */
  private static boolean concernsThePlan(@Nullable StateView before, @Nullable StateView now) {
    return before == null
        || now == null
        || now.entries().isEmpty()
        || now.generation() != before.generation()
        || now.ours() != before.ours()
        || now.deleting() != before.deleting()
        || !Objects.equals(now.ownerUid(), before.ownerUid());
  }

  /** The policies of which two versions of a node state say something different. */
  private static Set<String> touched(@Nullable StateView before, @Nullable StateView now) {
    Set<String> uids = new HashSet<>();
    for (StateView state : before == null || now == null ? both(before, now) : List.of(now)) {
      state.entries().forEach(entry -> uids.add(entry.uid()));
      uids.addAll(state.answers().keySet());
    }
    if (before != null && now != null) {
      before.entries().forEach(entry -> uids.add(entry.uid()));
      uids.addAll(before.answers().keySet());
      uids.removeIf(
          uid ->
              Objects.equals(before.entry(uid), now.entry(uid))
                  && Objects.equals(before.answers().get(uid), now.answers().get(uid)));
    }
    return uids;
  }

  private static List<StateView> both(@Nullable StateView before, @Nullable StateView now) {
    List<StateView> there = new ArrayList<>();
    if (before != null) {
      there.add(before);
    }
    if (now != null) {
      there.add(now);
    }
    return there;
  }

  private void index(String uid, String node, @Nullable StateView state) {
    if (state != null && (state.entry(uid) != null || state.answers().containsKey(uid))) {
      holders.computeIfAbsent(uid, any -> new HashSet<>()).add(node);
    } else {
      holders.computeIfPresent(
          uid,
          (any, names) -> {
            names.remove(node);
            return names.isEmpty() ? null : names;
          });
    }
  }

  private boolean holds(TrackedPolicy policy, String node) {
    return holders.getOrDefault(policy.uid(), Set.of()).contains(node);
  }

  private static boolean concerns(TrackedPolicy policy, String node) {
    return policy.gate() != null && policy.gate().stage(node) != null;
  }

  /** Tells a policy's gate how far a node is; whether that is news. */
  private boolean place(TrackedPolicy policy, NodeView node) {
    RolloutGate gate = policy.gate();
    if (gate == null || !(policy.intent() instanceof PolicyIntent.Enforced enforced)) {
      return false;
    }
    if (!enforced.concerns(node.labels())) {
      return gate.remove(node.name());
    }
    StateView state = states.get(node.name());
    NodePolicy given = state == null ? null : state.entry(policy.uid());
    NodePolicyStatus answer = state == null ? null : state.answers().get(policy.uid());
    boolean has = given != null && given.generation() == policy.generation();
    return gate.put(
        node.name(),
        !has && room.lacks(node.name(), policy.uid())
            ? NodeStage.NO_ROOM
            : new NodeProgress(node.ready(), given, answer).stage(enforced.entry()));
  }

  private void admit(TrackedPolicy policy, Wakes wakes) {
    if (open && policy.gate() != null) {
      Set<String> now = policy.gate().admit();
      wakes.nodes().addAll(now);
      if (!now.isEmpty()) {
        wakes.policies().add(policy.name());
      }
    }
  }

  /** What is to be written for a node; empty where the node is not known, or not everything is. */
  public Optional<Composition> compose(String name) {
    NodeView node;
    StateView state;
    NodeFailsafe failsafe;
    Set<String> admitted = new HashSet<>();
    List<PolicyIntent> intents = new ArrayList<>();
    synchronized (this) {
      node = nodes.get(name);
      state = states.get(name);
      if (!open || node == null) {
        return Optional.empty();
      }
      failsafe = failsafe(node);
      for (TrackedPolicy policy : policies.values()) {
        intents.add(policy.intent());
        if (policy.gate() != null && policy.gate().admits(name)) {
          admitted.add(policy.uid());
        }
      }
    }
    NodePlan plan =
        planner.plan(node.labels(), intents, before(state, intents), admitted::contains);
    return Optional.of(new Composition(node, state, plan, failsafe));
  }

  private @Nullable NodeFailsafe failsafe(NodeView node) {
    NodeFailsafe common = failsafes.common();
    return common == null || node.kubeletPort() == null
        ? common
        : common.withKubeletPort(node.kubeletPort());
  }

  /** Of entries by another's hand only those that stand for an earlier generation are kept. */
  private static List<NodePolicy> before(
      @Nullable StateView state, Collection<PolicyIntent> intents) {
    if (state == null) {
      return List.of();
    }
    if (state.trusted() != null) {
      return state.trusted();
    }
    Map<String, Long> current = new HashMap<>();
    for (PolicyIntent intent : intents) {
      current.put(
          intent.uid(),
          intent instanceof PolicyIntent.Enforced enforced
              ? enforced.entry().generation()
              : Long.MAX_VALUE);
    }
    return state.entries().stream()
        .filter(entry -> entry.generation() <= current.getOrDefault(entry.uid(), -1L))
        .toList();
  }

  /** How far a policy is; empty where it is not known, or not everything is. */
  public synchronized Optional<PolicyReport> report(String uid) {
    TrackedPolicy policy = policies.get(uid);
    return policy == null || !open
        ? Optional.empty()
        : Optional.of(
            new Reporter(states, policies.values(), pool)
                .report(policy, holders.getOrDefault(uid, Set.of())));
  }

  /** The nodes whose node state lists a policy; absent Node objects are told by name alone. */
  public synchronized Optional<Map<String, Optional<NodeView>>> holders(String uid) {
    if (!open) {
      return Optional.empty();
    }
    Map<String, Optional<NodeView>> found = new TreeMap<>();
    holders
        .getOrDefault(uid, Set.of())
        .forEach(name -> found.put(name, Optional.ofNullable(nodes.get(name))));
    return Optional.of(found);
  }

  /**
   * Node states without a Node: their uids by name. One that lists a policy being deleted is none
   * yet: that nobody is left to confirm it is first said of the policy.
   */
  public synchronized Map<String, String> orphans() {
    Map<String, String> found = new TreeMap<>();
    if (open) {
      Set<String> awaited = new HashSet<>();
      policies.values().stream()
          .filter(TrackedPolicy::deleting)
          .forEach(policy -> awaited.addAll(holders.getOrDefault(policy.uid(), Set.of())));
      states.values().stream()
          .filter(state -> !state.deleting() && !nodes.containsKey(state.name()))
          .filter(state -> !awaited.contains(state.name()))
          .forEach(state -> found.put(state.name(), state.uid()));
    }
    return found;
  }
}
