// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.failsafe.FailsafeDiscovery;
import dev.tokenbucket.operator.failsafe.FailsafeSettings;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.rollout.AgentContact;
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
 * Nodes, policies, node states and address sets as last seen. {@link Rollouts} has each policy's
 * rollout, {@link PolicyHolders} and {@link Refusals} the indexes between them, {@link Reporter}
 * and {@link DraftRequest} what is said of them. The fleet receives changes and returns the nodes
 * and policies to reconcile; a change costs work only for the objects it affects. The fleet holds
 * nothing that is not in the API: a new fleet built from the same objects gives the same answers.
 * Thread-safe.
 */
public final class Fleet {
  /** The field manager of the operator's writes. */
  public static final String FIELD_MANAGER = "tokenbucket-operator";

  private final EntryPool pool = new EntryPool();
  private final NodeStatePlanner planner = new NodeStatePlanner(pool);
  private final Map<String, NodeView> nodes = new HashMap<>();
  private final Map<String, StateView> states = new HashMap<>();
  private final Map<String, TrackedPolicy> policies = new TreeMap<>();
  private final AddressSetViews addressSets = new AddressSetViews();

  private final PolicyHolders holders = new PolicyHolders();
  private final Refusals refusals = new Refusals(planner);
  private final OwnWrites ownWrites = new OwnWrites();
  private final FailsafeDiscovery failsafes;
  private final AgentContacts contacts;
  private final Rollouts rollouts;
  private final Clock clock;
  private boolean open;

  /** A fleet without failsafe settings. */
  public Fleet() {
    this(FailsafeSettings.NONE, AgentTimeouts.DEFAULT, Clock.systemUTC());
  }

  public Fleet(FailsafeSettings settings, AgentTimeouts timeouts, Clock clock) {
    failsafes = new FailsafeDiscovery(settings);
    contacts = new AgentContacts(timeouts);
    this.clock = clock;
    rollouts =
        new Rollouts(nodes, states, policies, holders, new NodeStages(refusals, contacts, clock));
  }

  /**
   * Opens the fleet once all existing objects are loaded: from now on, changes have an effect.
   * Earlier, a node would seem to have no policies, and a rollout would seem not to have begun.
   */
  public synchronized Affected open() {
    open = true;
    Affected affected = Affected.none();
    refusals.refresh(policies.values(), nodes.values(), states);
    for (TrackedPolicy policy : policies.values()) {
      rollouts.place(policy);
      rollouts.admit(policy, affected);
      affected.policies().add(policy.name());
    }
    affected.nodes().addAll(nodes.keySet());
    affected.addressSets().addAll(addressSets.names());
    return affected;
  }

  /**
   * Loads the existing nodes, before the fleet is opened. The nodes are read while no other change
   * is accepted; the deletion of a node during the read is reported afterwards.
   */
  public synchronized void loadNodes(Supplier<Stream<Node>> there) {
    there.get().forEach(this::put);
  }

  /** Loads the existing policies; see {@link #loadNodes}. */
  public synchronized void loadPolicies(Supplier<Stream<TokenBucketPolicy>> there) {
    there.get().forEach(this::put);
  }

  /** Loads the existing address sets; see {@link #loadNodes}. */
  public synchronized void loadAddressSets(Supplier<Stream<TokenBucketAddressSet>> there) {
    there.get().forEach(this::put);
  }

  /** Puts a node as found in the API. */
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
      rollouts.nodeChanged(
          node, before == null || !before.labels().equals(node.labels()), affected);
    }
    return affected;
  }

  /**
   * Accounts for time that has passed: agents may have fallen silent, deadlines been missed,
   * policies expired.
   */
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
    contacts
        .fallenSilent(states.values(), now)
        .forEach(name -> rollouts.agentFellSilent(name, affected));
    rollouts.timePassed(affected);
    return affected;
  }

  /** Every node, if the failsafes changed, because every node state contains them. */
  private Affected exempt(boolean changed) {
    Affected affected = Affected.none();
    if (changed && open) {
      states.keySet().stream().filter(nodes::containsKey).forEach(affected.nodes()::add);
    }
    return affected;
  }

  /** Puts a slice of the API servers' endpoints as found in the API. */
  public synchronized Affected put(EndpointSlice slice) {
    return exempt(failsafes.put(slice));
  }

  /** Removes a slice that is gone. */
  public synchronized Affected removeSlice(String name) {
    return exempt(failsafes.removeSlice(name));
  }

  /** Removes a node that is gone. */
  public synchronized Affected removeNode(String name) {
    if (nodes.remove(name) == null) {
      return Affected.none();
    }
    Affected affected = exempt(failsafes.removeNode(name));
    refusals.forget(name);
    rollouts.nodeRemoved(name, open, affected);
    return affected;
  }

  /** Puts a policy as found in the API. */
  public synchronized Affected put(TokenBucketPolicy resource) {
    TrackedPolicy before = policies.get(resource.getMetadata().getUid());
    if (before != null && before.asksForTheSameAs(resource)) {
      return Affected.none();
    }
    TrackedPolicy policy = TrackedPolicy.of(resource, addressSets, pool, clock.instant());
    policies.put(policy.uid(), policy);
    Affected affected = Affected.none();
    if (open) {
      affected.addressSets().addAll(policy.addressSets());
      affected.addressSets().addAll(before == null ? Set.of() : before.addressSets());
      rollouts.place(policy);
      policiesChanged(policy.uid(), affected);
    }
    return affected;
  }

  /** Removes a policy that is gone. */
  public synchronized Affected removePolicy(String uid) {
    Affected affected = Affected.none();
    TrackedPolicy gone = policies.remove(uid);
    if (gone != null && open) {
      affected.addressSets().addAll(gone.addressSets());
      policiesChanged(uid, affected);
    }
    return affected;
  }

  /** Puts an address set as found in the API. */
  public Affected put(TokenBucketAddressSet resource) {
    String name = resource.getMetadata().getName();
    synchronized (this) {
      if (addressSets.has(resource)) {
        return Affected.none();
      }
    }
    // Without the lock: hashing 10,000 networks takes a while.
    AddressSetView set = AddressSetView.of(resource);
    synchronized (this) {
      addressSets.put(set);
      return addressSetChanged(name);
    }
  }

  /** Removes an address set that is gone. Nodes keep what they have of policies that name it. */
  public synchronized Affected removeAddressSet(String name) {
    return addressSets.remove(name) ? addressSetChanged(name) : Affected.none();
  }

  private Affected addressSetChanged(String name) {
    Affected affected = Affected.none();
    List<TrackedPolicy> changed = new ArrayList<>();
    for (TrackedPolicy policy : List.copyOf(policies.values())) {
      if (policy.addressSets().contains(name)) {
        TrackedPolicy now = policy.with(addressSets, pool, clock.instant());
        if (!now.equals(policy)) {
          policies.put(now.uid(), now);
          changed.add(now);
        }
      }
    }
    if (open) {
      affected.addressSets().add(name);
      for (TrackedPolicy policy : changed) {
        rollouts.place(policy);
        policiesChanged(policy.uid(), affected);
      }
    }
    return affected;
  }

  /** What is known of an address set; empty if there is none, or the fleet is not open yet. */
  public synchronized Optional<AddressSetReport> addressSet(String name) {
    return open ? addressSets.report(name, policies.values()) : Optional.empty();
  }

  private void policiesChanged(String uid, Affected affected) {
    pool.forgetOverlaps(uid);
    for (String name : refusals.refresh(policies.values(), nodes.values(), states)) {
      NodeView node = nodes.get(name);
      if (node != null) {
        policies.values().forEach(policy -> rollouts.place(policy, node));
        affected.nodes().add(name);
      }
    }
    policies.values().forEach(policy -> rollouts.admit(policy, affected));
    // Every policy's overlaps may change; every node that has this policy may have to drop it.
    policies.values().forEach(policy -> affected.policies().add(policy.name()));
    TrackedPolicy policy = policies.get(uid);
    holders.of(uid).stream()
        .filter(node -> policy == null || !Rollouts.concerns(policy, node))
        .forEach(affected.nodes()::add);
  }

  /** Puts a node state from the watch. */
  public synchronized Affected put(TokenBucketNodeState resource) {
    String name = resource.getMetadata().getName();
    StateView before = states.get(name);
    long version = Versions.of(resource);
    return ownWrites.isReplaced(name, version, clock.instant())
            || (before != null && Versions.same(version, before.version()))
        ? Affected.none()
        : take(resource, before);
  }

  /** Puts a node state from the response to an own write. */
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
      rollouts.nodeChanged(node, false, affected);
    }
    return affected;
  }

  private static NodeLimits limits(@Nullable StateView state) {
    return state == null ? NodeLimits.DEFAULT : state.limits();
  }

  /**
   * Judges a node's room again after its limits changed: an agent of another version may hold more,
   * or less.
   */
  private void judgeLimits(String name, NodeLimits before, NodeLimits now, Affected affected) {
    NodeView node = nodes.get(name);
    if (open && node != null && !now.equals(before)) {
      refusals.refresh(policies.values(), List.of(node), states);
      affected.nodes().add(name);
      rollouts.nodeChanged(node, false, affected);
    }
  }

  /** Removes a node state that is gone. */
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
          rollouts.place(policy, node);
          rollouts.admit(policy, affected);
        }
      }
    }
    if (node != null && change.concernsThePlan()) {
      affected.nodes().add(name);
    }
    return affected;
  }

  /**
   * The node state to write for a node; empty if the node is unknown, or the fleet is not open yet.
   */
  public Optional<NodeStateDraft> draft(String name) {
    Optional<DraftRequest> request;
    synchronized (this) {
      request =
          open
              ? DraftRequest.of(nodes.get(name), states.get(name), policies.values(), failsafes)
              : Optional.empty();
    }
    // Without the lock: planning takes a while.
    return request.map(each -> each.draft(planner));
  }

  /** The progress of a policy; empty if the policy is unknown, or the fleet is not open yet. */
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

  /** The nodes whose node state lists a policy, per name. */
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
   * Node states without a Node: their uids per name. A node state that lists a policy being deleted
   * does not count yet: first, the policy reports that no agent is left to confirm the removal.
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
