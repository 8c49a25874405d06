package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.failsafe.FailsafeDiscovery;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.rollout.AgentContact;
import dev.tokenbucket.operator.rollout.RolloutGate;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
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

  private final PolicyHolders holders = new PolicyHolders();
  private final Refusals refusals = new Refusals(planner);
  private final OwnWrites ownWrites = new OwnWrites();
  private final FailsafeDiscovery failsafes;
  private final AgentContacts contacts;
  private final NodeStages stages;
  private final Clock clock;
  private boolean open;

  /** With no failsafes to be told of. */
  public Fleet() {
    this(FailsafeSettings.NONE, AgentTimeouts.DEFAULT, Clock.systemUTC());
  }

  public Fleet(FailsafeSettings settings, AgentTimeouts timeouts, Clock clock) {
    failsafes = new FailsafeDiscovery(settings);
    contacts = new AgentContacts(timeouts);
    stages = new NodeStages(refusals, contacts);
    this.clock = clock;
  }

  /**
   * Everything there is has been told: from now on changes have an effect. Before, a node would be
   * taken for one without policies, and a rollout for one that has not begun.
   */
  public synchronized Affected open() {
    open = true;
    Affected affected = Affected.none();
    refusals.refresh(policies.values(), nodes.values(), states);
    for (TrackedPolicy policy : policies.values()) {
      nodes.values().forEach(node -> place(policy, node));
      admit(policy, affected);
      affected.policies().add(policy.name());
    }
    affected.nodes().addAll(nodes.keySet());
    return affected;
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
  public synchronized Affected put(Node resource) {
    NodeView node = NodeView.of(resource, failsafes.kubeletPort(resource));
    NodeView before = nodes.get(node.name());
    if (before != null && Versions.same(node.version(), before.version())) {
      return Affected.none();
    }
    nodes.put(node.name(), node);
    Affected affected = exempt(failsafes.put(resource));
    if (open && (before == null || !node.saysTheSameAs(before))) {
      affected.nodes().add(node.name());
      refusals.refresh(policies.values(), List.of(node), states);
      replace(node, before == null || !before.labels().equals(node.labels()), affected);
    }
    return affected;
  }

  /** Time has passed: agents may have fallen silent, deadlines been missed, policies ended. */
  public synchronized Affected tick() {
    Affected affected = Affected.none();
    if (!open) {
      return affected;
    }
    Instant now = clock.instant();
    for (TrackedPolicy policy : List.copyOf(policies.values())) {
      TrackedPolicy then = policy.at(now);
      if (!then.equals(policy)) {
        policies.put(policy.uid(), then);
        policiesChanged(policy.uid(), affected);
      }
    }
    for (String name : contacts.fallenSilent(states.values(), now)) {
      NodeView node = nodes.get(name);
      policies.values().stream()
          .filter(policy -> node != null && (place(policy, node) || isAwaited(policy, node)))
          .forEach(policy -> affected.policies().add(policy.name()));
    }
    for (TrackedPolicy policy : policies.values()) {
      for (String name : policy.gate() == null ? Set.<String>of() : policy.gate().timed()) {
        NodeView node = nodes.get(name);
        if (node != null && place(policy, node)) {
          affected.policies().add(policy.name());
        }
      }
      admit(policy, affected);
    }
    return affected;
  }

  private void replace(NodeView node, boolean relabelled, Affected affected) {
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
      // Which policies share a node is part of their status.
      policies.values().stream()
          .filter(policy -> concerns(policy, node.name()))
          .forEach(policy -> affected.policies().add(policy.name()));
    }
  }

  /** What is exempt is written into every node state that is there. */
  private Affected exempt(boolean changed) {
    Affected affected = Affected.none();
    if (changed && open) {
      states.keySet().stream().filter(nodes::containsKey).forEach(affected.nodes()::add);
    }
    return affected;
  }

  /** A slice of the API servers' endpoints as found in the API. */
  public synchronized Affected put(EndpointSlice slice) {
    return exempt(failsafes.put(slice));
  }

  /** A slice that is gone. */
  public synchronized Affected removeSlice(String name) {
    return exempt(failsafes.removeSlice(name));
  }

  /** A node that is gone. */
  public synchronized Affected removeNode(String name) {
    if (nodes.remove(name) == null) {
      return Affected.none();
    }
    Affected affected = exempt(failsafes.removeNode(name));
    refusals.forget(name);
    for (TrackedPolicy policy : policies.values()) {
      if ((policy.gate() != null && policy.gate().remove(name)) || holds(policy, name)) {
        affected.policies().add(policy.name());
        admit(policy, affected);
      }
    }
    return affected;
  }

  /** A policy as found in the API. */
  public synchronized Affected put(TokenBucketPolicy resource) {
    TrackedPolicy before = policies.get(resource.getMetadata().getUid());
    if (before != null && before.asksForTheSameAs(resource)) {
      return Affected.none();
    }
    TrackedPolicy policy = TrackedPolicy.of(resource, pool, clock.instant());
    policies.put(policy.uid(), policy);
    Affected affected = Affected.none();
    if (open) {
      nodes.values().forEach(node -> place(policy, node));
      policiesChanged(policy.uid(), affected);
    }
    return affected;
  }

  /** A policy that is gone. */
  public synchronized Affected removePolicy(String uid) {
    Affected affected = Affected.none();
    if (policies.remove(uid) != null && open) {
      policiesChanged(uid, affected);
    }
    return affected;
  }

  private void policiesChanged(String uid, Affected affected) {
    pool.forgetOverlaps(uid);
    for (String name : refusals.refresh(policies.values(), nodes.values(), states)) {
      NodeView node = nodes.get(name);
      if (node != null) {
        policies.values().forEach(policy -> place(policy, node));
        affected.nodes().add(name);
      }
    }
    policies.values().forEach(policy -> admit(policy, affected));
    // Every policy's overlaps may be others now; every node that has this one may have to drop it.
    policies.values().forEach(policy -> affected.policies().add(policy.name()));
    TrackedPolicy policy = policies.get(uid);
    holders.of(uid).stream()
        .filter(node -> policy == null || !concerns(policy, node))
        .forEach(affected.nodes()::add);
  }

  /** A node state as the watch tells of it. */
  public synchronized Affected put(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    long version = Versions.of(resource);
    return ownWrites.isReplaced(name, version, clock.instant())
            || (before != null && Versions.same(version, before.version()))
        ? Affected.none()
        : take(resource, before);
  }

  /** A node state as it was answered to an own write. */
  public synchronized Affected answered(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    long version = Versions.of(resource);
    if (before != null && !Versions.newer(version, before.version())) {
      return Affected.none();
    }
    ownWrites.answered(name, version, clock.instant());
    return take(resource, before);
  }

  private Affected take(TokenBucketNodeState resource, @Nullable StateView before) {
    String name = resource.getMetadata().getName();
    Instant now = clock.instant();
    StateView state = StateView.of(resource, before, pool, now);
    states.put(name, state);
    Affected affected = changed(name, before, state);
    NodeView node = nodes.get(name);
    judgeLimits(name, limits(before), state.limits(), affected);
    if (open && node != null && contacts.changed(node, before, state, now)) {
      replace(node, false, affected);
    }
    return affected;
  }

  private static NodeLimits limits(@Nullable StateView state) {
    return state == null ? NodeLimits.DEFAULT : state.limits();
  }

  /** An agent of another version may hold more, or less. */
  private void judgeLimits(String name, NodeLimits before, NodeLimits now, Affected affected) {
    NodeView node = nodes.get(name);
    if (open && node != null && !now.equals(before)) {
      refusals.refresh(policies.values(), List.of(node), states);
      affected.nodes().add(name);
      replace(node, false, affected);
    }
  }

  /** A node state that is gone. */
  public synchronized Affected removeState(String name, @Nullable String uid) {
    StateView before = states.get(name);
    if (before == null || (uid != null && !uid.equals(before.uid()))) {
      return Affected.none();
    }
    states.remove(name);
    ownWrites.forget(name);
    contacts.heard(name);
    Affected affected = changed(name, before, null);
    judgeLimits(name, before.limits(), NodeLimits.DEFAULT, affected);
    return affected;
  }

  private Affected changed(String name, @Nullable StateView before, @Nullable StateView now) {
    Affected affected = Affected.none();
    StateChange change = new StateChange(before, now);
    Set<String> touched = change.policies();
    touched.forEach(uid -> holders.update(uid, name, now));
    if (!open) {
      return affected;
    }
    NodeView node = nodes.get(name);
    for (String uid : touched) {
      TrackedPolicy policy = policies.get(uid);
      if (policy != null) {
        affected.policies().add(policy.name());
        if (node != null) {
          place(policy, node);
          admit(policy, affected);
        }
      }
    }
    if (node != null && change.concernsThePlan()) {
      affected.nodes().add(name);
    }
    return affected;
  }

  private boolean holds(TrackedPolicy policy, String node) {
    return holders.contains(policy.uid(), node);
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
    return gate.put(node.name(), stages.of(enforced, gate.limits(), node, state, clock.instant()));
  }

  private void admit(TrackedPolicy policy, Affected affected) {
    if (open && policy.gate() != null) {
      Set<String> now = policy.gate().admit();
      affected.nodes().addAll(now);
      if (!now.isEmpty()) {
        affected.policies().add(policy.name());
      }
    }
  }

  /** What is to be written for a node; empty where the node is not known, or not everything is. */
  public Optional<NodeStateDraft> draft(String name) {
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
            node.labels(),
            intents,
            state == null ? List.of() : state.formerEntries(intents),
            limits(state),
            admitted::contains);
    return Optional.of(new NodeStateDraft(node, state, plan, failsafe));
  }

  private @Nullable NodeFailsafe failsafe(NodeView node) {
    NodeFailsafe common = failsafes.common();
    return common == null || node.kubeletPort() == null
        ? common
        : common.withKubeletPort(node.kubeletPort());
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
      report = reporter.report(policy, holders.of(uid));
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
    holders.of(uid).forEach(name -> found.put(name, holder(name)));
    return Optional.of(found);
  }

  private Holder holder(String name) {
    NodeView node = nodes.get(name);
    return new Holder(
        Optional.ofNullable(node),
        node == null ? AgentContact.NEVER : contacts.of(node, states.get(name), clock.instant()));
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
          .forEach(policy -> awaited.addAll(holders.of(policy.uid())));
      states.values().stream()
          .filter(state -> !state.deleting() && !nodes.containsKey(state.name()))
          .filter(state -> !awaited.contains(state.name()))
          .forEach(state -> found.put(state.name(), state.uid()));
    }
    return found;
  }
}
