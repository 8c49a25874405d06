package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.failsafe.FailsafeDiscovery;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.AgentContact;
import dev.tokenbucket.operator.rollout.NodeProgress;
import dev.tokenbucket.operator.rollout.NodeStage;
import dev.tokenbucket.operator.rollout.RolloutGate;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
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

  private final Refusals refusals = new Refusals(planner);
  private final OwnWrites ownWrites = new OwnWrites();
  private final FailsafeDiscovery failsafes;
  private final Patience patience;
  private final Clock clock;

  /** Nodes whose agent has fallen silent. */
  private final Set<String> silent = new HashSet<>();

  private boolean open;

  /** With no failsafes to be told of. */
  public Fleet() {
    this(FailsafeSettings.NONE, Patience.DEFAULT, Clock.systemUTC());
  }

  public Fleet(FailsafeSettings settings, Patience patience, Clock clock) {
    failsafes = new FailsafeDiscovery(settings);
    this.patience = patience;
    this.clock = clock;
  }

  /**
   * Everything there is has been told: from now on changes have an effect. Before, a node would be
   * taken for one without policies, and a rollout for one that has not begun.
   */
  public synchronized Wakes open() {
    open = true;
    Wakes wakes = Wakes.none();
    refusals.refresh(policies.values(), nodes.values(), states);
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
    if (before != null && Versions.same(node.version(), before.version())) {
      return Wakes.none();
    }
    nodes.put(node.name(), node);
    Wakes wakes = exempt(failsafes.put(resource));
    if (open && (before == null || !node.saysTheSameAs(before))) {
      wakes.nodes().add(node.name());
      refusals.refresh(policies.values(), List.of(node), states);
      replace(node, before == null || !before.labels().equals(node.labels()), wakes);
    }
    return wakes;
  }

  /** Time has passed: agents may have fallen silent, and deadlines been missed. */
  public synchronized Wakes tick() {
    Wakes wakes = Wakes.none();
    if (!open) {
      return wakes;
    }
    Instant now = clock.instant();
    for (StateView state : states.values()) {
      if (patience.isSilent(state, now) && silent.add(state.name())) {
        NodeView node = nodes.get(state.name());
        policies.values().stream()
            .filter(policy -> node != null && (place(policy, node) || isAwaited(policy, node)))
            .forEach(policy -> wakes.policies().add(policy.name()));
      }
    }
    for (TrackedPolicy policy : policies.values()) {
      for (String name : policy.gate() == null ? Set.<String>of() : policy.gate().timed()) {
        NodeView node = nodes.get(name);
        if (node != null && place(policy, node)) {
          wakes.policies().add(policy.name());
        }
      }
      admit(policy, wakes);
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
    refusals.forget(name);
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
    if (before != null && before.asksForTheSameAs(resource)) {
      return Wakes.none();
    }
    TrackedPolicy policy = TrackedPolicy.of(resource, pool);
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
    pool.forgetOverlaps(uid);
    for (String name : refusals.refresh(policies.values(), nodes.values(), states)) {
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

  /** A node state as the watch tells of it. */
  public synchronized Wakes put(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    long version = Versions.of(resource);
    return ownWrites.isReplaced(name, version, clock.instant())
            || (before != null && Versions.same(version, before.version()))
        ? Wakes.none()
        : take(resource, before);
  }

  /** A node state as it was answered to an own write. */
  public synchronized Wakes answered(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    long version = Versions.of(resource);
    if (before != null && !Versions.newer(version, before.version())) {
      return Wakes.none();
    }
    ownWrites.answered(name, version, clock.instant());
    return take(resource, before);
  }

  private Wakes take(TokenBucketNodeState resource, @Nullable StateView before) {
    String name = resource.getMetadata().getName();
    Instant now = clock.instant();
    StateView state = StateView.of(resource, before, pool, now);
    states.put(name, state);
    Wakes wakes = changed(name, before, state);
    NodeView node = nodes.get(name);
    judgeLimits(name, limits(before), state.limits(), wakes);
    if (open && node != null && isOtherAgent(node, before, state, now)) {
      replace(node, false, wakes);
    }
    return wakes;
  }

  private static NodeLimits limits(@Nullable StateView state) {
    return state == null ? NodeLimits.DEFAULT : state.limits();
  }

  /** An agent of another version may hold more, or less. */
  private void judgeLimits(String name, NodeLimits before, NodeLimits now, Wakes wakes) {
    NodeView node = nodes.get(name);
    if (open && node != null && !now.equals(before)) {
      refusals.refresh(policies.values(), List.of(node), states);
      wakes.nodes().add(name);
      replace(node, false, wakes);
    }
  }

  /** Whether what is known of a node's agent is another thing now, for any policy. */
  private boolean isOtherAgent(
      NodeView node, @Nullable StateView before, StateView state, Instant now) {
    silent.remove(state.name());
    return before == null
        || before.told() != state.told()
        || patience.isSilent(before, now)
        || Patience.isOfEarlierBoot(node, before) != Patience.isOfEarlierBoot(node, state)
        || patience.isSilent(state, now);
  }

  /** A node state that is gone. */
  public synchronized Wakes removeState(String name, @Nullable String uid) {
    StateView before = states.get(name);
    if (before == null || (uid != null && !uid.equals(before.uid()))) {
      return Wakes.none();
    }
    states.remove(name);
    ownWrites.forget(name);
    silent.remove(name);
    Wakes wakes = changed(name, before, null);
    judgeLimits(name, before.limits(), NodeLimits.DEFAULT, wakes);
    return wakes;
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
      uids.removeIf(uid -> before.saysTheSameOf(uid, now));
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

  /** A deletion is judged anew when an agent falls silent. */
  private boolean isAwaited(TrackedPolicy policy, NodeView node) {
    return policy.deleting() && holds(policy, node.name());
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
    boolean has = enforced.entry().equals(given);
    Instant now = clock.instant();
    return gate.put(
        node.name(),
        !has && refusals.find(node.name(), policy.uid()) != null
            ? NodeStage.REFUSED
            : progress(policy, node, given, answer, now)
                .stage(enforced.entry(), gate.limits(), patience.start(), now));
  }

  private NodeProgress progress(
      TrackedPolicy policy,
      NodeView node,
      @Nullable NodePolicy given,
      @Nullable NodePolicyStatus answer,
      Instant now) {
    StateView state = states.get(node.name());
    StateView.Given at = state == null ? null : state.given().get(policy.uid());
    return new NodeProgress(
        node.ready(),
        patience.contact(node, state, now),
        given,
        answer,
        state == null || state.speaksOf(policy.uid()),
        at == null ? Duration.ZERO : Duration.between(at.since(), now),
        state == null ? null : state.inForceSince().get(policy.uid()),
        node.readySince());
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
        planner.plan(
            node.labels(), intents, before(state, intents), limits(state), admitted::contains);
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
  public Optional<PolicyReport> report(String uid) {
    PolicyReport report;
    List<NodePolicy> beside;
    synchronized (this) {
      TrackedPolicy policy = policies.get(uid);
      if (policy == null || !open) {
        return Optional.empty();
      }
      Reporter reporter = new Reporter(nodes, states, policies.values(), refusals);
      report = reporter.report(policy, holders.getOrDefault(uid, Set.of()));
      beside = reporter.beside(policy);
    }
    return Optional.of(report.beside(beside, pool));
  }

  /** The nodes whose node state lists a policy, by name. */
  public synchronized Optional<Map<String, Holder>> holders(String uid) {
    if (!open) {
      return Optional.empty();
    }
    Map<String, Holder> found = new TreeMap<>();
    holders.getOrDefault(uid, Set.of()).forEach(name -> found.put(name, holder(name)));
    return Optional.of(found);
  }

  private Holder holder(String name) {
    NodeView node = nodes.get(name);
    return new Holder(
        Optional.ofNullable(node),
        node == null
            ? AgentContact.NEVER
            : patience.contact(node, states.get(name), clock.instant()));
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
