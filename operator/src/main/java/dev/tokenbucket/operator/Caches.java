package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the reconcilers share of the informers' caches. */
final class Caches {
  /** Node states by the uid of each policy that they list, in spec or in status. */
  static final String BY_POLICY = "by-policy";

  private Caches() {}

  static <R extends HasMetadata> Set<ResourceID> ids(Stream<R> resources) {
    return resources.map(ResourceID::fromResource).collect(Collectors.toUnmodifiableSet());
  }

  /** The cache of the event source for a type. */
  @SuppressWarnings("unchecked") // a reconciler's event sources for a type are informers of it
  static <R extends HasMetadata> IndexerResourceCache<R> of(Context<?> context, Class<R> type) {
    return (IndexerResourceCache<R>) context.eventSourceRetriever().getEventSourceFor(type);
  }

  static <P extends HasMetadata> void indexByPolicy(
      InformerEventSource<TokenBucketNodeState, P> nodeStates) {
    nodeStates.addIndexers(Map.of(BY_POLICY, state -> List.copyOf(policyUids(state))));
  }

  static <P extends HasMetadata> Stream<P> primaries(EventSourceContext<P> context) {
    return context.getPrimaryCache().list(any -> true);
  }

  static Set<String> policyUids(TokenBucketNodeState state) {
    Set<String> uids = new LinkedHashSet<>();
    specEntries(state).forEach(entry -> uids.add(entry.uid()));
    statusEntries(state).forEach(entry -> uids.add(entry.uid()));
    return uids;
  }

  static List<NodePolicy> specEntries(TokenBucketNodeState state) {
    return state.getSpec() == null || state.getSpec().policies() == null
        ? List.of()
        : state.getSpec().policies();
  }

  static List<NodePolicyStatus> statusEntries(TokenBucketNodeState state) {
    List<NodePolicyStatus> entries =
        state.getStatus() == null ? null : state.getStatus().policies();
    return entries == null ? List.of() : entries;
  }
}
