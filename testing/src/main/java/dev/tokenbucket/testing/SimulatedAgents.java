// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.agent.source.Applied;
import dev.tokenbucket.agent.source.DesiredState;
import dev.tokenbucket.agent.source.NodeStateReport;
import dev.tokenbucket.agent.source.Repairs;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Agents of many nodes without a kernel. Each agent answers as if the kernel ran what its node
 * state asks for, with the status that the real agent computes, and writes with a token bound to
 * its node. The agents share one watch and one connection for writes.
 */
public final class SimulatedAgents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SimulatedAgents.class);
  private static final int THREADS = 8;
  private static final int TRIES = 8;
  private static final Duration REQUEST = Duration.ofSeconds(10);

  private final ControlPlane controlPlane;
  private final HttpClient http;
  private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);
  private final Map<String, String> tokens = new ConcurrentHashMap<>();
  private final Map<String, Long> answered = new ConcurrentHashMap<>();
  private final Set<String> silent = ConcurrentHashMap.newKeySet();
  private final Set<String> stuck = ConcurrentHashMap.newKeySet();
  private final Map<String, String> failing = new ConcurrentHashMap<>();
  private final Map<String, Object> answering = new ConcurrentHashMap<>();
  private final Map<String, String> boots = new ConcurrentHashMap<>();
  private final Map<String, NodeLimits> limits = new ConcurrentHashMap<>();
  private final AtomicLong writes = new AtomicLong();
  private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor();
  private volatile @Nullable Future<?> beat;
  private final SharedIndexInformer<TokenBucketNodeState> informer;

  private SimulatedAgents(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    http = HttpClient.newBuilder().sslContext(controlPlane.trust()).build();
    informer = controlPlane.client().resources(TokenBucketNodeState.class).runnableInformer(0);
    informer.addEventHandler(new Handler());
  }

  /** Starts agents for all nodes, existing and future ones. */
  public static SimulatedAgents start(ControlPlane controlPlane) {
    SimulatedAgents agents = new SimulatedAgents(controlPlane);
    agents.informer.run();
    return agents;
  }

  /** Fetches the nodes' tokens in advance, so that measurements do not include that. */
  public void prepare(List<String> nodes) {
    InParallel.forEach(nodes, THREADS, this::token);
  }

  /**
   * Makes the agents report their last contact from now on, and report at this interval even if
   * nothing changes.
   */
  public void beat(Duration pause) {
    beat =
        heart.scheduleWithFixedDelay(
            () -> states().forEach(state -> answerAnew(state.getMetadata().getName())),
            0,
            pause.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /** Silences a node's agent from its next change on. */
  public void silence(String node) {
    silent.add(node);
  }

  /** Sets the boot id that a node's agent reports from its next report on. */
  public void boot(String node, String boot) {
    boots.put(node, boot);
  }

  /** Sets how much a node's agent reports that it can hold, from its next report on. */
  public void limit(String node, NodeLimits most) {
    limits.put(node, most);
  }

  /** Lets a node's agent report again, starting at once. */
  public void speak(String node) {
    silent.remove(node);
    stuck.remove(node);
    answerAnew(node);
  }

  /** Makes a node's agent stand still: it repeats its last report and accepts nothing new. */
  public void stick(String node) {
    stuck.add(node);
  }

  /** Makes a node's agent report that its kernel accepts nothing new, with this message. */
  public void fail(String node, String message) {
    failing.put(node, message);
  }

  /** Ends {@link #fail}, and lets the agent retry at once. */
  public void recover(String node) {
    failing.remove(node);
    answerAnew(node);
  }

  /** Makes every agent as it was at the start. */
  public void reset() {
    Future<?> beats = beat;
    if (beats != null) {
      beats.cancel(false);
    }
    beat = null;
    silent.clear();
    stuck.clear();
    failing.clear();
    boots.clear();
    limits.clear();
    states().forEach(state -> answerAnew(state.getMetadata().getName()));
  }

  private void answerAnew(String node) {
    answered.remove(node);
    TokenBucketNodeState state = informer.getStore().getByKey(node);
    if (state != null) {
      wake(state);
    }
  }

  /** The node states as last seen. */
  public List<TokenBucketNodeState> states() {
    return informer.getStore().list();
  }

  /** The number of statuses written. */
  public long writes() {
    return writes.get();
  }

  private final class Handler implements ResourceEventHandler<TokenBucketNodeState> {
    @Override
    public void onAdd(TokenBucketNodeState state) {
      wake(state);
    }

    @Override
    public void onUpdate(TokenBucketNodeState before, TokenBucketNodeState now) {
      wake(now);
    }

    @Override
    public void onDelete(TokenBucketNodeState state, boolean unknown) {
      answered.remove(state.getMetadata().getName());
    }
  }

  private void wake(TokenBucketNodeState state) {
    String node = state.getMetadata().getName();
    Long generation = state.getMetadata().getGeneration();
    if (state.getMetadata().getDeletionTimestamp() == null
        && !silent.contains(node)
        && !generation.equals(answered.put(node, generation))) {
      executor.execute(() -> answer(node));
    }
  }

  /** Serializes a node's answers, since an older answer that arrives last would stay. */
  private void answer(String node) {
    synchronized (answering.computeIfAbsent(node, name -> new Object())) {
      answerNewest(node);
    }
  }

  private void answerNewest(String node) {
    // Only the newest state is answered; states in between need no answer of their own.
    TokenBucketNodeState state = informer.getStore().getByKey(node);
    if (state == null || state.getSpec() == null) {
      return;
    }
    if (stuck.contains(node) && state.getStatus() != null) {
      write(node, statusOf(node, state.getStatus(), Instant.now().toString()));
      return;
    }
    List<NodePolicy> wanted = List.copyOf(state.getSpec().policies());
    String failure = failing.get(node);
    TokenBucketNodeStateStatus status =
        NodeStateReport.status(
            new Applied(
                new DesiredState(state.getMetadata().getGeneration(), wanted, List.of()),
                failure == null ? Map.of() : failures(wanted, state, failure),
                List.of(),
                Repairs.since(Instant.EPOCH)),
            List.of(kernelRunning(failure == null ? wanted : unchanged(wanted, state))),
            Map.of(),
            List.of(),
            Instant.EPOCH);
    String now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    TokenBucketNodeStateStatus next =
        statusOf(node, NodeStateReport.since(status, state.getStatus(), now), now);
    if (!next.equals(state.getStatus())) {
      write(node, next);
    }
  }

  private TokenBucketNodeStateStatus statusOf(
      String node, TokenBucketNodeStateStatus status, String now) {
    NodeLimits most = limits.get(node);
    return (most == null ? status : status.withLimits(most))
        .reportedAt(boots.get(node), beat == null ? null : now);
  }

  private static List<NodePolicy> unchanged(List<NodePolicy> wanted, TokenBucketNodeState state) {
    return wanted.stream().filter(policy -> inForce(policy, state)).toList();
  }

  private static Map<String, String> failures(
      List<NodePolicy> wanted, TokenBucketNodeState state, String message) {
    return wanted.stream()
        .filter(policy -> !inForce(policy, state))
        .collect(Collectors.toMap(NodePolicy::uid, policy -> message));
  }

  /** Whether the agent's last report has the policy in force. */
  private static boolean inForce(NodePolicy policy, TokenBucketNodeState state) {
    return state.getStatus() != null
        && state.getStatus().policies() != null
        && state.getStatus().policies().stream()
            .anyMatch(
                answer ->
                    answer.uid().equals(policy.uid())
                        && answer.programmed()
                        && answer.generation() == policy.generation());
  }

  private static RunningHook kernelRunning(List<NodePolicy> wanted) {
    return new RunningHook(
        "eth0",
        dev.tokenbucket.api.v1alpha1.Direction.Ingress,
        "TCX",
        1,
        0,
        0,
        0,
        List.of(),
        wanted.stream().map(SimulatedAgents::running).toList());
  }

  private static RunningHook.RunningPolicy running(NodePolicy policy) {
    return new RunningHook.RunningPolicy(
        policy.name(),
        policy.uid(),
        policy.generation(),
        policy.unit(),
        policy.rate(),
        policy.ratePeriod(),
        policy.burst(),
        policy.per(),
        policy.action(),
        policy.mode(),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        null,
        null);
  }

  private void write(String node, TokenBucketNodeStateStatus status) {
    try {
      for (int i = 1; i <= TRIES; i++) {
        int code = tryWrite(node, status);
        if (code < 300) {
          writes.incrementAndGet();
          return;
        }
        if (code == 404) {
          return; // the node state was deleted meanwhile
        }
        Thread.sleep(100L << i);
      }
      LOG.warn("the status of node {} was not written after {} tries", node, TRIES);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private int tryWrite(String node, TokenBucketNodeStateStatus status) throws InterruptedException {
    URI uri =
        controlPlane
            .server()
            .resolve("/apis/tokenbucket.dev/v1alpha1/tokenbucketnodestates/" + node + "/status");
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(REQUEST)
            .header("Authorization", "Bearer " + token(node))
            .header("Content-Type", "application/merge-patch+json")
            .method(
                "PATCH",
                HttpRequest.BodyPublishers.ofString(
                    Serialization.asJson(Map.of("status", status)), StandardCharsets.UTF_8))
            .build();
    try {
      HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
      if (response.statusCode() >= 300) {
        LOG.debug("status of {}: {} {}", node, response.statusCode(), response.body());
      }
      return response.statusCode();
    } catch (IOException e) {
      // The API server restarts, or answers 401: the token is bound to a Node that was replaced.
      tokens.remove(node);
      return 503;
    }
  }

  private String token(String node) {
    return tokens.computeIfAbsent(node, name -> new Cluster(controlPlane).agentToken(name));
  }

  @Override
  public void close() {
    heart.shutdownNow();
    informer.close();
    executor.shutdownNow();
  }
}
