// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static java.time.temporal.ChronoUnit.SECONDS;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tokenbucket.agent.host.Boot;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's own TokenBucketNodeState. Its spec is watched; its status is written when it changes.
 * The object is handled as JSON, because an operator of another version may have written it.
 */
public final class NodeStateSource implements DesiredStateSource {
  private static final Logger LOG = LoggerFactory.getLogger(NodeStateSource.class);
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final ResourceDefinitionContext KIND =
      ResourceDefinitionContext.fromResourceType(TokenBucketNodeState.class);
  private static final ResourceDefinitionContext ADDRESS_SET =
      ResourceDefinitionContext.fromResourceType(TokenBucketAddressSet.class);
  private static final ObjectMapper JSON =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  /** How long the API server must know no node state before that removes the limits. */
  private static final Duration ABSENCE = Duration.ofSeconds(30);

  /** The time after which an unchanged status is written again, to say that it still holds. */
  private static final Duration CONTACT = Duration.ofSeconds(60);

  /**
   * The interval between looks if no change was heard of. An absence is recognized by its length,
   * which no event announces.
   */
  private static final Duration POLL = Duration.ofSeconds(2);

  private static final Optional<DesiredState> NOTHING =
      Optional.of(new DesiredState(0, List.of(), List.of()));

  private final KubernetesClient client;
  private final SharedIndexInformer<GenericKubernetesResource> informer;
  private final String nodeName;
  private final List<String> findings;
  private final UnderstoodEntries understood;
  private final LastNodeState lastSeen;
  private final AddressSetCache addressSets;
  private final ApiTrouble trouble;
  private final Absence absence = new Absence(ABSENCE);
  private final Contact contact = new Contact(CONTACT);
  private final LastReport lastReport = new LastReport();
  private final @Nullable String boot = Boot.id();

  /** What the node was asked for before this agent started. */
  private final Optional<DesiredState> beforeFirstLook;

  /** The loop asks every few seconds, usually for the same object. */
  private @Nullable Understood last;

  /** The address sets that the node state asks for and that are not there. */
  private Set<AddressSetRef> missing = Set.of();

  /** What one version of the node state asks for, with the address sets that are there. */
  private record Understood(
      GenericKubernetesResource of, long addressSets, Optional<DesiredState> desired) {
    @SuppressWarnings("ReferenceEquality") // spares comparing the contents
    boolean isOf(GenericKubernetesResource state, long version) {
      return of == state && addressSets == version;
    }
  }

  /**
   * Starts watching.
   *
   * @param stateDir keeps what was understood
   * @param findings the preflight's findings, for the status
   * @param wake signalled when the node state has changed
   */
  public NodeStateSource(
      Config access, String nodeName, Path stateDir, List<String> findings, Wake wake) {
    this.nodeName = nodeName;
    this.findings = List.copyOf(findings);
    understood = new UnderstoodEntries(stateDir);
    lastSeen = new LastNodeState(stateDir, nodeName);
    trouble = new ApiTrouble(access.getMasterUrl());
    client =
        new KubernetesClientBuilder()
            .withConfig(impatient(access))
            .withHttpClientBuilderConsumer(http -> http.addOrReplaceInterceptor("trouble", trouble))
            .withKubernetesSerialization(serialization())
            .build();
    addressSets = new AddressSetCache(stateDir, this::networks, wake::signal);
    beforeFirstLook = lastSeen.read().map(this::ofDisk);
    informer = client.genericKubernetesResources(KIND).withName(nodeName).runnableInformer(0);
    informer.addEventHandler(new Changes(wake));
    informer.exceptionHandler((started, e) -> retry(e));
    // Without a node state there is no event, but the loop must learn of that at once, too.
    informer.start().whenComplete((done, e) -> wake.signal());
  }

  /**
   * Registers only the kinds that occur. By default, the client loads hundreds of classes to find
   * all kinds.
   */
  private static KubernetesSerialization serialization() {
    KubernetesSerialization serialization = new KubernetesSerialization(new ObjectMapper(), false);
    serialization.registerKubernetesResource(Status.class);
    return serialization;
  }

  /** The loop retries by itself and must not block while the API server is away. */
  private static Config impatient(Config access) {
    return new ConfigBuilder(access)
        .withRequestRetryBackoffLimit(0)
        .withConnectionTimeout(TIMEOUT_MILLIS)
        .withRequestTimeout(TIMEOUT_MILLIS)
        .build();
  }

  /** An unreachable API server changes nothing in the kernel, and the client retries. */
  private boolean retry(Throwable e) {
    trouble.failed(e);
    return true;
  }

  private record Changes(Wake wake) implements ResourceEventHandler<GenericKubernetesResource> {
    @Override
    public void onAdd(GenericKubernetesResource state) {
      wake.signal();
    }

    @Override
    public void onUpdate(GenericKubernetesResource before, GenericKubernetesResource now) {
      wake.signal();
    }

    @Override
    public void onDelete(GenericKubernetesResource state, boolean unknown) {
      wake.signal();
    }
  }

  @Override
  public Optional<Instant> lastContact() {
    return contact.last();
  }

  @Override
  public Duration poll() {
    return POLL;
  }

  @Override
  public boolean looked() {
    return informer.hasSynced();
  }

  private @Nullable GenericKubernetesResource nodeState() {
    return informer.getStore().getByKey(nodeName);
  }

  private static JsonNode part(GenericKubernetesResource state, String name) {
    return JSON.valueToTree(state.getAdditionalProperties().get(name));
  }

  @Override
  public Optional<DesiredState> current() {
    GenericKubernetesResource state = nodeState();
    boolean live = informer.hasSynced() && informer.isWatching();
    if (absence.lasts(live && state == null, System.nanoTime())) {
      lastSeen.forget();
      return NOTHING;
    }
    if (state == null && !informer.hasSynced()) {
      return beforeFirstLook;
    }
    if (state == null || state.getMetadata().getDeletionTimestamp() != null) {
      return Optional.empty();
    }
    // The informer's store keeps the same object until a new version arrives.
    long version = addressSets.version();
    if (last == null || !last.isOf(state, version)) {
      last = new Understood(state, version, understand(state));
    }
    addressSets.want(missing);
    return last.desired();
  }

  private Optional<DesiredState> understand(GenericKubernetesResource state) {
    JsonNode spec = part(state, "spec");
    if (!spec.path("policies").isArray()) {
      return Optional.empty();
    }
    long generation = state.getMetadata().getGeneration();
    lastSeen.keep(generation, spec);
    return Optional.of(desired(generation, spec));
  }

  private DesiredState ofDisk(LastNodeState.Seen seen) {
    DesiredState desired = desired(seen.generation(), seen.spec());
    LOG.info(
        "the agent enforces generation {} of the node state, as last seen, until the"
            + " API server answers (policies: {})",
        seen.generation(),
        desired.policies().size());
    return desired;
  }

  private DesiredState desired(long generation, JsonNode spec) {
    Map<String, NodePolicy> former = understood.byUid();
    NodeStateReader.Reading reading = NodeStateReader.read(spec, former);
    AddressSetResolution resolved =
        AddressSetResolution.of(reading.understood(), former, addressSets);
    understood.keep(resolved.entries());
    addressSets.keep(
        Stream.concat(resolved.entries().stream(), reading.understood().stream())
            .flatMap(entry -> AddressSets.refs(entry).stream())
            .toList());
    missing = resolved.missing();
    Map<String, DesiredState.Unsupported> notInForce = new HashMap<>(resolved.waiting());
    notInForce.putAll(reading.unsupported());
    return new DesiredState(
        generation,
        resolved.policies(),
        List.of(),
        reading.failsafe(),
        Map.copyOf(notInForce),
        reading.notes());
  }

  /** The networks of an address set as the API server has it now. */
  private Optional<List<String>> networks(String name) throws IOException {
    try {
      GenericKubernetesResource set =
          client.genericKubernetesResources(ADDRESS_SET).withName(name).get();
      if (set == null) {
        return Optional.empty();
      }
      List<String> cidrs = new ArrayList<>();
      part(set, "spec").path("cidrs").forEach(cidr -> cidrs.add(cidr.asText()));
      return Optional.of(cidrs);
    } catch (KubernetesClientException e) {
      throw new IOException(
          "the API server does not hand it out"
              + (e.getCode() > 0 ? " (" + e.getCode() + ")" : "")
              + ": "
              + e.getMessage(),
          e);
    }
  }

  @Override
  public boolean report(
      Applied applied, List<RunningHook> running, Map<String, List<String>> warnings) {
    GenericKubernetesResource there = nodeState();
    if (there == null) {
      return true;
    }
    JsonNode before = part(there, "status");
    Instant now = Instant.now();
    String time = now.truncatedTo(SECONDS).toString();
    TokenBucketNodeStateStatus reported =
        lastReport.behind(before).orElseGet(() -> reported(before));
    TokenBucketNodeStateStatus status =
        NodeStateReport.since(
            NodeStateReport.status(applied, running, warnings, findings, now),
            isOfThisBoot(reported) ? reported : null,
            time);
    if (contact.isFresh(System.nanoTime()) && status.reportedAt(boot, null).equals(reported)) {
      return true;
    }
    try {
      GenericKubernetesResource stored =
          client
              .genericKubernetesResources(KIND)
              .withName(nodeName)
              .subresource("status")
              .patch(
                  PatchContext.of(PatchType.JSON_MERGE),
                  patch(before, status.reportedAt(boot, time)));
      lastReport.wrote(status.reportedAt(boot, null), part(stored, "status"));
      contact.made(System.nanoTime(), now);
      return true;
    } catch (KubernetesClientException e) {
      trouble.failed(e);
      return false;
    }
  }

  /** Nothing that an earlier boot reported is still in force. */
  private boolean isOfThisBoot(@Nullable TokenBucketNodeStateStatus reported) {
    return reported != null && Objects.equals(reported.bootID(), boot);
  }

  /** A status without the time of its writing. */
  private static @Nullable TokenBucketNodeStateStatus reported(JsonNode status) {
    try {
      TokenBucketNodeStateStatus read = JSON.treeToValue(status, TokenBucketNodeStateStatus.class);
      return read == null ? null : read.reportedAt(read.bootID(), null);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** Replaces the status as a whole: fields that are no longer set are removed. */
  private static String patch(JsonNode before, TokenBucketNodeStateStatus status) {
    ObjectNode now = JSON.valueToTree(status);
    before
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!now.has(name)) {
                now.putNull(name);
              }
            });
    return JSON.createObjectNode().set("status", now).toString();
  }

  @Override
  public void close() {
    addressSets.close();
    informer.close();
    client.close();
  }
}
