// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.FieldsV1;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntryBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The API's objects, the events that have yet to reach the operator, and an operator that can be
 * killed. Objects are copied on their way, as an API server's are.
 */
final class World {
  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  final Map<String, Node> nodes = new TreeMap<>();
  final Map<String, TokenBucketPolicy> policies = new TreeMap<>();
  final Map<String, TokenBucketAddressSet> sets = new TreeMap<>();
  final Map<String, TokenBucketNodeState> states = new TreeMap<>();
  private final Queue<Runnable> undelivered = new ArrayDeque<>();
  final TreeSet<String> woken = new TreeSet<>();
  Fleet fleet = new Fleet();
  int writes;
  private long version;

  World() {
    restart();
  }

  private static <T> T copy(T object, Class<T> type) {
    return JSON.unmarshal(JSON.asJson(object), type);
  }

  private String nextVersion() {
    return Long.toString(++version);
  }

  /** kill -9, and a successor that reads the existing objects. */
  void restart() {
    undelivered.clear();
    woken.clear();
    fleet = new Fleet();
    sets.values().forEach(set -> fleet.put(copy(set, TokenBucketAddressSet.class)));
    policies.values().forEach(policy -> fleet.put(copy(policy, TokenBucketPolicy.class)));
    nodes.values().forEach(node -> fleet.put(copy(node, Node.class)));
    states.values().forEach(state -> fleet.put(copy(state, TokenBucketNodeState.class)));
    woken.addAll(fleet.open().nodes());
  }

  boolean deliver() {
    Runnable event = undelivered.poll();
    if (event != null) {
      event.run();
    }
    return event != null;
  }

  private void tell(Affected affected) {
    woken.addAll(affected.nodes());
  }

  void node(String name, Map<String, String> labels, boolean ready) {
    Node node =
        new NodeBuilder()
            .withNewMetadata()
            .withName(name)
            .withUid("uid-" + name)
            .withLabels(labels)
            .withResourceVersion(nextVersion())
            .endMetadata()
            .withNewStatus()
            .addNewCondition()
            .withType("Ready")
            .withStatus(ready ? "True" : "Unknown")
            .withLastTransitionTime("2026-01-01T12:00:00Z")
            .endCondition()
            .endStatus()
            .build();
    nodes.put(name, node);
    undelivered.add(() -> tell(fleet.put(copy(node, Node.class))));
  }

  void policy(TokenBucketPolicy policy) {
    policy.getMetadata().setResourceVersion(nextVersion());
    policies.put(policy.getMetadata().getName(), policy);
    undelivered.add(() -> tell(fleet.put(copy(policy, TokenBucketPolicy.class))));
  }

  void addressSet(String name, List<String> cidrs) {
    TokenBucketAddressSet set = new TokenBucketAddressSet();
    set.getMetadata().setName(name);
    set.getMetadata().setUid("uid-" + name);
    set.getMetadata().setGeneration(++version);
    set.setSpec(new TokenBucketAddressSetSpec(cidrs));
    sets.put(name, set);
    undelivered.add(() -> tell(fleet.put(copy(set, TokenBucketAddressSet.class))));
  }

  void removeAddressSet(String name) {
    sets.remove(name);
    undelivered.add(() -> tell(fleet.removeAddressSet(name)));
  }

  void removePolicy(String name) {
    TokenBucketPolicy gone = policies.remove(name);
    if (gone != null) {
      String uid = gone.getMetadata().getUid();
      undelivered.add(() -> tell(fleet.removePolicy(uid)));
    }
  }

  /** Reconciles a node as the reconciler does; returns whether it wrote. */
  boolean reconcile(String name) {
    woken.remove(name);
    NodeStateDraft made = fleet.draft(name).orElse(null);
    if (made == null) {
      return false;
    }
    if (made.differs()) {
      write(name, made.spec());
      tell(fleet.answered(copy(state(name), TokenBucketNodeState.class)));
      return true;
    }
    TokenBucketNodeState there = states.get(name);
    if (made.isOver()
        && there != null
        && there.getMetadata().getResourceVersion().equals(made.thereVersion())) {
      states.remove(name);
      undelivered.add(() -> tell(fleet.removeState(name, there.getMetadata().getUid())));
    }
    return false;
  }

  TokenBucketNodeState state(String name) {
    return Objects.requireNonNull(states.get(name));
  }

  List<NodePolicy> entries(String name) {
    TokenBucketNodeState state = states.get(name);
    return state == null ? List.of() : state.getSpec().policies();
  }

  private void write(String name, TokenBucketNodeStateSpec spec) {
    writes++;
    TokenBucketNodeState before = states.get(name);
    TokenBucketNodeState state = new TokenBucketNodeState();
    state.getMetadata().setName(name);
    state.getMetadata().setUid(before == null ? "uid-" + version : before.getMetadata().getUid());
    state
        .getMetadata()
        .setGeneration(before == null ? 1 : before.getMetadata().getGeneration() + 1);
    state
        .getMetadata()
        .setOwnerReferences(
            List.of(new OwnerReferenceBuilder().withKind("Node").withUid("uid-" + name).build()));
    FieldsV1 fields = new FieldsV1();
    fields.setAdditionalProperty("f:spec", Map.of("f:policies", Map.of()));
    state
        .getMetadata()
        .setManagedFields(
            List.of(
                new ManagedFieldsEntryBuilder()
                    .withManager(Fleet.FIELD_MANAGER)
                    .withOperation("Apply")
                    .withFieldsV1(fields)
                    .build()));
    state.setSpec(spec);
    state.setStatus(before == null ? null : before.getStatus());
    publish(state);
  }

  private void publish(TokenBucketNodeState state) {
    state.getMetadata().setResourceVersion(nextVersion());
    TokenBucketNodeState copy = copy(state, TokenBucketNodeState.class);
    states.put(copy.getMetadata().getName(), copy);
    undelivered.add(() -> tell(fleet.put(copy(copy, TokenBucketNodeState.class))));
  }

  /** A backup of all objects. */
  World backup() {
    World backup = new World();
    nodes.forEach((name, node) -> backup.nodes.put(name, copy(node, Node.class)));
    policies.forEach(
        (name, each) -> backup.policies.put(name, copy(each, TokenBucketPolicy.class)));
    states.forEach((name, each) -> backup.states.put(name, copy(each, TokenBucketNodeState.class)));
    backup.version = version;
    return backup;
  }

  /** Restores the cluster, versions included. The operator lists everything again. */
  void restore(World backup) {
    undelivered.clear();
    version = backup.version;
    nodes.clear();
    policies.clear();
    states.clear();
    backup.nodes.forEach(
        (name, node) -> {
          nodes.put(name, node);
          undelivered.add(() -> tell(fleet.put(copy(node, Node.class))));
        });
    backup.policies.forEach(
        (name, each) -> {
          policies.put(name, each);
          undelivered.add(() -> tell(fleet.put(copy(each, TokenBucketPolicy.class))));
        });
    backup.states.forEach(
        (name, each) -> {
          states.put(name, each);
          undelivered.add(() -> tell(fleet.put(copy(each, TokenBucketNodeState.class))));
        });
  }

  /** Another writer changes a spec: the API server takes the field from the operator. */
  void tamper(String name, TokenBucketNodeStateSpec spec) {
    TokenBucketNodeState state = copy(state(name), TokenBucketNodeState.class);
    state.setSpec(spec);
    state.getMetadata().setGeneration(state.getMetadata().getGeneration() + 1);
    state.getMetadata().setManagedFields(List.of());
    publish(state);
  }

  /** A node's agent acts on its node state. */
  void agent(String name, boolean succeeds) {
    TokenBucketNodeState there = states.get(name);
    if (there == null) {
      return;
    }
    TokenBucketNodeState state = copy(there, TokenBucketNodeState.class);
    state.setStatus(
        new TokenBucketNodeStateStatus(
            state.getMetadata().getGeneration(),
            null,
            null,
            state.getSpec().policies().stream()
                .map(entry -> answer(entry, there, succeeds))
                .toList(),
            null,
            null,
            null,
            null,
            null,
            null));
    if (!state.getStatus().equals(there.getStatus())) {
      publish(state);
    }
  }

  private static NodePolicyStatus answer(
      NodePolicy entry, TokenBucketNodeState there, boolean succeeds) {
    long formerly = inForce(there, entry.uid());
    return new NodePolicyStatus(
        entry.name(),
        entry.uid(),
        entry.generation(),
        succeeds ? entry.generation() : formerly,
        succeeds || formerly == entry.generation(),
        succeeds || formerly == entry.generation() ? null : Reasons.PROGRAMMING_FAILED,
        null,
        null,
        null,
        List.of(),
        null,
        null);
  }

  /** The generation that a node's kernel runs, as its agent read back. */
  static long inForce(@Nullable TokenBucketNodeState state, String uid) {
    return state == null || state.getStatus() == null || state.getStatus().policies() == null
        ? 0
        : state.getStatus().policies().stream()
            .filter(answer -> answer.uid().equals(uid))
            .mapToLong(NodePolicyStatus::generation)
            .sum();
  }
}
