// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a node state that matter to the operator.
 *
 * @param ours whether the operator wrote the entries last, and no other writer
 * @param entries the entries of the spec
 * @param trusted the last entries known to be the operator's; null if none were seen
 * @param answers the entries of the status, per policy uid
 * @param ownerUid the uid of the owning Node
 * @param reported whether an agent has reported anything
 * @param limits the agent's limits; this version's limits if the agent reports none
 * @param bootId the boot id that the agent reported, if any
 * @param contact the time of the agent's last report, if it says so
 * @param given per uid, since when an entry is unchanged, if the entry is not confirmed yet
 * @param inForceSince per uid, since when the kernel runs its current entry, if that is recent
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
    @Nullable Long observedGeneration,
    boolean reported,
    NodeLimits limits,
    @Nullable String bootId,
    @Nullable Instant contact,
    Map<String, Given> given,
    Map<String, Instant> inForceSince) {

  /** A time before any that a policy considers. */
  private static final Duration LONG_AGO = Duration.ofHours(2);

  /**
   * Since when an entry is unchanged.
   *
   * @param generation the first generation of the node state with this entry, as far as known
   */
  record Given(Instant since, long generation) {}

  /**
   * Reads a node state.
   *
   * @param before the previous view of the node state
   * @param now the upper bound of the node's times
   */
  static StateView of(
      TokenBucketNodeState state, @Nullable StateView before, EntryPool pool, Instant now) {
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
          // An agent of a version that does not report this refers to the spec that it has acted
          // on.
          tried = generation(entries, each.uid());
        }
        answers.put(each.uid(), pool.intern(each, tried));
      }
    }
    boolean ours = isOurs(metadata);
    long generation = metadata.getGeneration() == null ? 0 : metadata.getGeneration();
    StateView known =
        before != null && before.isBefore(metadata.getUid(), generation) ? before : null;
    Long observed = status == null ? null : status.observedGeneration();
    return new StateView(
        metadata.getName(),
        metadata.getUid(),
        Versions.of(state),
        generation,
        metadata.getDeletionTimestamp() != null,
        ours,
        owner(metadata),
        entries,
        ours ? entries : before == null ? null : before.trusted(),
        spec == null ? List.of() : orEmpty(spec.overlaps()),
        spec == null || spec.failsafe() == null ? null : pool.intern(spec.failsafe()),
        Map.copyOf(answers),
        observed,
        status != null,
        status == null || status.limits() == null ? NodeLimits.DEFAULT : status.limits(),
        status == null ? null : status.bootID(),
        status == null ? null : notAfter(time(status.lastContactTime()), now),
        given(entries, answers, known, new Given(writtenAt(metadata, now), generation), observed),
        status == null
            ? Map.of()
            : inForceSince(orEmpty(status.policies()), known, now.minus(LONG_AGO), now));
  }

  /**
   * Since when each unconfirmed entry is unchanged. The previous view knows this for an entry that
   * it contained. For an entry seen for the first time, as after a restart, an answer to the
   * entry's generation is believed, unless the entry names address sets: their contents change
   * within one generation.
   */
  private static Map<String, Given> given(
      List<NodePolicy> entries,
      Map<String, NodePolicyStatus> answers,
      @Nullable StateView before,
      Given now,
      @Nullable Long observed) {
    Map<String, Given> found = new HashMap<>();
    for (NodePolicy entry : entries) {
      boolean believed = before == null && AddressSets.refs(entry).isEmpty();
      Given given =
          before != null && entry.equals(before.entry(entry.uid()))
              ? before.given().get(entry.uid())
              : believed ? new Given(now.since(), 0) : now;
      if (given != null && !isSettled(entry, answers.get(entry.uid()), given, observed)) {
        found.put(entry.uid(), given);
      }
    }
    return found.isEmpty() ? Map.of() : Map.copyOf(found);
  }

  private static boolean isSettled(
      NodePolicy entry, @Nullable NodePolicyStatus answer, Given given, @Nullable Long observed) {
    return observed != null
        && observed >= given.generation()
        && answer != null
        && answer.programmed()
        && answer.generation() == entry.generation();
  }

  private static Map<String, Instant> inForceSince(
      List<NodePolicyStatus> answers, @Nullable StateView before, Instant longAgo, Instant now) {
    Map<String, Instant> found = new HashMap<>();
    for (NodePolicyStatus answer : answers) {
      NodePolicyStatus was = before == null ? null : before.answers().get(answer.uid());
      boolean same =
          was != null
              && was.programmed() == answer.programmed()
              && was.generation() == answer.generation();
      Instant stated = notAfter(time(answer.lastTransitionTime()), now);
      Instant since =
          same && before != null
              ? before.inForceSince().get(answer.uid())
              : stated == null ? now : stated;
      if (since != null && since.isAfter(longAgo)) {
        found.put(answer.uid(), since);
      }
    }
    return found.isEmpty() ? Map.of() : Map.copyOf(found);
  }

  private static @Nullable Instant notAfter(@Nullable Instant time, Instant latest) {
    return time == null || time.isBefore(latest) ? time : latest;
  }

  /** Parses a time; null if the text can't be read. */
  private static @Nullable Instant time(@Nullable String text) {
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /** When the operator wrote the spec, according to the API server's clock. */
  private static Instant writtenAt(ObjectMeta metadata, Instant now) {
    return orEmpty(metadata.getManagedFields()).stream()
        .filter(StateView::isOfOperator)
        .map(entry -> notAfter(time(entry.getTime()), now))
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(now);
  }

  /**
   * Whether this view is of the other node state, at the same generation or an earlier one.
   * Generations go back when a cluster is restored from a backup.
   */
  private boolean isBefore(String otherUid, long otherGeneration) {
    return uid.equals(otherUid) && generation <= otherGeneration;
  }

  /**
   * Whether all of an entry's enum values are known. A value that a later operator wrote is read as
   * null; such an entry is written again.
   */
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

  /**
   * Whether the operator still manages the fields: the API server takes a field from its manager
   * when another one changes the field.
   */
  private static boolean isOurs(ObjectMeta metadata) {
    return orEmpty(metadata.getManagedFields()).stream()
        .anyMatch(entry -> isOfOperator(entry) && ownsEntries(entry));
  }

  private static boolean isOfOperator(ManagedFieldsEntry entry) {
    return Fleet.FIELD_MANAGER.equals(entry.getManager()) && "Apply".equals(entry.getOperation());
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

  /**
   * The entries that the node was last given. Among entries that another writer wrote, only those
   * of an earlier generation are kept.
   */
  List<NodePolicy> formerEntries(Collection<PolicyIntent> intents) {
    if (trusted != null) {
      return trusted;
    }
    Map<String, Long> current = new HashMap<>();
    for (PolicyIntent intent : intents) {
      current.put(
          intent.uid(),
          intent instanceof PolicyIntent.Enforced enforced
              ? enforced.entry().generation()
              : Long.MAX_VALUE);
    }
    return entries.stream()
        .filter(entry -> entry.generation() <= current.getOrDefault(entry.uid(), -1L))
        .toList();
  }

  /** Whether the agent had seen the current version of an entry when it answered. */
  boolean speaksOf(String policyUid) {
    Given at = given.get(policyUid);
    return at == null || (observedGeneration != null && observedGeneration >= at.generation());
  }

  /** Whether another version of the node state is equal for a policy. */
  boolean saysTheSameOf(String policyUid, StateView other) {
    return Objects.equals(entry(policyUid), other.entry(policyUid))
        && Objects.equals(answers.get(policyUid), other.answers.get(policyUid))
        && Objects.equals(given.get(policyUid), other.given.get(policyUid))
        && Objects.equals(inForceSince.get(policyUid), other.inForceSince.get(policyUid));
  }

  /**
   * Whether the agent has confirmed, for exactly this generation, that the kernel runs no policy.
   */
  boolean confirmedEmpty() {
    return !deleting
        && entries.isEmpty()
        && answers.isEmpty()
        && Objects.equals(observedGeneration, generation);
  }
}
