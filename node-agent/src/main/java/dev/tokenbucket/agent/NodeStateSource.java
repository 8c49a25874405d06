package dev.tokenbucket.agent;

import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.PolicyAttachment;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The node's own TokenBucketNodeState: its spec is watched, its status written when it changes. */
public final class NodeStateSource implements DesiredStateSource {
  private static final int TIMEOUT_MILLIS = 5_000;

  private final KubernetesClient client;
  private final SharedIndexInformer<TokenBucketNodeState> informer;
  private final String nodeName;
  private final List<String> findings;
  private final ApiTrouble trouble;
  private final Semaphore changes = new Semaphore(0);

  /**
   * @param findings of the preflight, for the status
   */
  NodeStateSource(Config access, String nodeName, List<String> findings) {
    this.nodeName = nodeName;
    this.findings = List.copyOf(findings);
    trouble = new ApiTrouble(access.getMasterUrl());
    client =
        new KubernetesClientBuilder()
            .withConfig(impatient(access))
            .withHttpClientBuilderConsumer(http -> http.addOrReplaceInterceptor("trouble", trouble))
            .build();
    informer = client.resources(TokenBucketNodeState.class).withName(nodeName).runnableInformer(0);
    informer.addEventHandler(new Wake(changes));
    informer.exceptionHandler((started, e) -> retry(e));
    informer.start();
  }

  /** The loop tries again by itself, and must not stand still while the API server is away. */
  private static Config impatient(Config access) {
    return new ConfigBuilder(access)
        .withRequestRetryBackoffLimit(0)
        .withConnectionTimeout(TIMEOUT_MILLIS)
        .withRequestTimeout(TIMEOUT_MILLIS)
        .build();
  }

  /** An API server that can't be reached changes nothing in the kernel, and is tried again. */
  private boolean retry(Throwable e) {
    trouble.failed(e);
    return true;
  }

  private record Wake(Semaphore changes) implements ResourceEventHandler<TokenBucketNodeState> {
    @Override
    public void onAdd(TokenBucketNodeState state) {
      changes.release();
    }

    @Override
    public void onUpdate(TokenBucketNodeState before, TokenBucketNodeState now) {
      changes.release();
    }

    @Override
    public void onDelete(TokenBucketNodeState state, boolean unknown) {
      changes.release();
    }
  }

  @Override
  public void awaitChange(Duration most) throws InterruptedException {
    if (changes.tryAcquire(most.toMillis(), TimeUnit.MILLISECONDS)) {
      changes.drainPermits();
    }
  }

  private Optional<TokenBucketNodeState> nodeState() {
    return Optional.ofNullable(informer.getStore().getByKey(nodeName));
  }

  @Override
  public boolean looked() {
    return informer.hasSynced();
  }

  @Override
  public Optional<DesiredState> current() {
    return nodeState()
        .filter(state -> state.getMetadata().getDeletionTimestamp() == null)
        .filter(state -> state.getSpec() != null && state.getSpec().policies() != null)
        .map(
            state ->
                new DesiredState(
                    state.getMetadata().getGeneration(), state.getSpec().policies(), List.of()));
  }

  @Override
  public void report(
      DesiredState state,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings) {
    TokenBucketNodeStateStatus status = status(state, running, failures, warnings, findings);
    Optional<TokenBucketNodeState> there = nodeState();
    if (there.isEmpty() || status.equals(there.get().getStatus())) {
      return;
    }
    TokenBucketNodeState update = new TokenBucketNodeState();
    update.getMetadata().setName(nodeName);
    try {
      client
          .resource(update)
          .subresource("status")
          .edit(
              latest -> {
                latest.setStatus(status);
                return latest;
              });
    } catch (KubernetesClientException e) {
      trouble.failed(e);
    }
  }

  /** Pure: what the node's status is to say. */
  public static TokenBucketNodeStateStatus status(
      DesiredState state,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings,
      List<String> findings) {
    List<NodePolicyStatus> entries = new ArrayList<>();
    for (NodePolicy policy : state.policies()) {
      entries.add(entry(policy, running, failures, warnings));
    }
    long programmed = entries.stream().filter(NodePolicyStatus::programmed).count();
    return new TokenBucketNodeStateStatus(
        state.generation(), programmed + "/" + entries.size(), findings, entries, null, null);
  }

  private static NodePolicyStatus entry(
      NodePolicy policy,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings) {
    List<PolicyAttachment> attachments = new ArrayList<>();
    RunningHook.RunningPolicy found = null;
    for (RunningHook hook : running) {
      for (RunningHook.RunningPolicy each : hook.policies()) {
        if (each.uid().equals(policy.uid())) {
          found = each;
          attachments.add(
              new PolicyAttachment(hook.interfaceName(), hook.hook(), hook.programId()));
        }
      }
    }
    String failure = failures.get(policy.uid());
    boolean programmed =
        failure == null && found != null && found.generation() == policy.generation();
    return new NodePolicyStatus(
        policy.name(),
        policy.uid(),
        policy.generation(),
        found == null ? 0 : found.generation(),
        programmed,
        programmed ? null : failure == null ? Reasons.PENDING : Reasons.PROGRAMMING_FAILED,
        programmed ? null : failure == null ? "not found in the kernel yet" : failure,
        found == null ? null : found.rateText(),
        found == null ? null : found.burstText(),
        attachments,
        warnings.get(policy.uid()));
  }

  @Override
  public void close() {
    informer.close();
    client.close();
  }
}
