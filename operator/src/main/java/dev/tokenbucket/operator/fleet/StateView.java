package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What matters of a node state.
 *
 * @param ours whether the entries are what the operator wrote last, and no other hand's
 * @param entries of the spec
 * @param trusted the last entries known to be the operator's; null where none were seen
 * @param answers of the status, by the policy's uid
 * @param ownerUid of the Node that owns it
 */
record StateView(
    String name,
    String uid,
    long version,
    long generation,
    boolean deleting,
    boolean ours,
    @Nullable String ownerUid,
    List<NodePolicy> entries,
    @Nullable List<NodePolicy> trusted,
    List<String> overlaps,
    @Nullable NodeFailsafe failsafe,
    Map<String, NodePolicyStatus> answers,
    @Nullable Long observedGeneration) {

  /**
   * Reads a node state.
   *
   * @param before what was known of it
   */
  static StateView of(TokenBucketNodeState state, @Nullable StateView before, EntryPool pool) {
    ObjectMeta metadata = state.getMetadata();
    TokenBucketNodeStateSpec spec = state.getSpec();
    TokenBucketNodeStateStatus status = state.getStatus();
    List<NodePolicy> entries =
        spec == null
            ? List.of()
            : orEmpty(spec.policies()).stream()
                .filter(StateView::isOfThisVersion)
                .map(pool::intern)
                .toList();
    Map<String, NodePolicyStatus> answers = new HashMap<>();
    if (status != null) {
      boolean current = Objects.equals(status.observedGeneration(), metadata.getGeneration());
      for (NodePolicyStatus each : orEmpty(status.policies())) {
        Long tried = each.observedGeneration();
        if (tried == null && current) {
          // An agent that does not say so yet speaks of the spec that it has acted on.
          tried = generation(entries, each.uid());
        }
        answers.put(each.uid(), pool.intern(each, tried));
      }
    }
    boolean ours = isOurs(metadata);
    return new StateView(
        metadata.getName(),
        metadata.getUid(),
        Versions.of(state),
        metadata.getGeneration() == null ? 0 : metadata.getGeneration(),
        metadata.getDeletionTimestamp() != null,
        ours,
        owner(metadata),
        entries,
        ours ? entries : before == null ? null : before.trusted(),
        spec == null ? List.of() : orEmpty(spec.overlaps()),
        spec == null || spec.failsafe() == null ? null : pool.intern(spec.failsafe()),
        Map.copyOf(answers),
        status == null ? null : status.observedGeneration());
  }

  /** A value that a later operator wrote was read as none: such an entry is written anew. */
  private static boolean isOfThisVersion(NodePolicy entry) {
    return Stream.of(entry.direction(), entry.per(), entry.unit(), entry.action(), entry.mode())
        .allMatch(Objects::nonNull);
  }

  private static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  private static @Nullable Long generation(List<NodePolicy> entries, String policyUid) {
    return entries.stream()
        .filter(entry -> entry.uid().equals(policyUid))
        .map(NodePolicy::generation)
        .findFirst()
        .orElse(null);
  }

  private static @Nullable String owner(ObjectMeta metadata) {
    return orEmpty(metadata.getOwnerReferences()).stream()
        .filter(owner -> "Node".equals(owner.getKind()))
        .map(OwnerReference::getUid)
        .findFirst()
        .orElse(null);
  }

  /** The API server takes a field from its manager when another one changes it. */
  private static boolean isOurs(ObjectMeta metadata) {
    return orEmpty(metadata.getManagedFields()).stream()
        .anyMatch(
            entry ->
                Fleet.FIELD_MANAGER.equals(entry.getManager())
                    && "Apply".equals(entry.getOperation())
                    && ownsEntries(entry));
  }

  private static boolean ownsEntries(ManagedFieldsEntry entry) {
    return entry.getFieldsV1() != null
        && entry.getFieldsV1().getAdditionalProperties().get("f:spec") instanceof Map<?, ?> spec
        && spec.containsKey("f:policies");
  }

  @Nullable NodePolicy entry(String policyUid) {
    for (NodePolicy entry : entries) {
      if (entry.uid().equals(policyUid)) {
        return entry;
      }
    }
    return null;
  }

  /** The agent has said that the kernel runs nothing of ours for this very generation. */
  boolean confirmedEmpty() {
    return !deleting
        && entries.isEmpty()
        && answers.isEmpty()
        && Objects.equals(observedGeneration, generation);
  }
}
