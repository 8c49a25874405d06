// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A policy on one node's loopback interface and one UDP port, which exists while this is open. */
final class ProbePolicy implements AutoCloseable {
  private static final String HOSTNAME = "kubernetes.io/hostname";

  /** A sender that stalls for less than 200 ms loses no token. */
  private static final int BURSTS_PER_SECOND = 5;

  private static final Duration LOOK = Duration.ofMillis(200);

  private final KubernetesClient client;
  private final String node;
  private final TokenBucketPolicy made;

  private ProbePolicy(KubernetesClient client, String node, TokenBucketPolicy made) {
    this.client = client;
    this.node = node;
    this.made = made;
  }

  /**
   * Creates the policy.
   *
   * @param rate packets per second
   * @throws ProbeException if the node has no label that a policy can select it by
   */
  static ProbePolicy make(KubernetesClient client, String node, int port, long rate) {
    Node there = client.nodes().withName(node).require();
    @Nullable String hostname = there.getMetadata().getLabels().get(HOSTNAME);
    if (hostname == null) {
      throw new ProbeException(
          "node " + node + " has no label " + HOSTNAME + "; its kubelet sets one");
    }
    String manifest =
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata:
          generateName: helm-test-
        spec:
          nodeSelector:
            matchLabels: {kubernetes.io/hostname: "%s"}
          interfaces:
          - name: lo
          match:
          - protocol: UDP
            destinationCIDRs: [127.0.0.1/32]
            destinationPorts: [%d]
          rate:
            packetsPerSecond: %d
          burst:
            packets: %d
        """
            .formatted(hostname, port, rate, Math.max(rate / BURSTS_PER_SECOND, 1));
    TokenBucketPolicy made =
        client.resource(Serialization.unmarshal(manifest, TokenBucketPolicy.class)).create();
    return new ProbePolicy(client, node, made);
  }

  String name() {
    return made.getMetadata().getName();
  }

  /**
   * Waits until the node's agent has read the policy back from its kernel.
   *
   * @throws ProbeException on timeout; the message says what is known
   */
  void awaitProgrammed(Duration timeout) {
    await(timeout, () -> status().filter(NodePolicyStatus::programmed).isPresent(), this::whyNot);
  }

  private String whyNot() {
    String agent =
        status()
            .map(s -> "its agent says: " + s.reason() + ": " + s.message())
            .orElse("its agent has not reported it");
    return "policy "
        + name()
        + " is not in force on node "
        + node
        + "; "
        + agent
        + ". Look at: kubectl get tbp,tbns; kubectl get pods -o wide; kubectl logs of the agent"
        + " there";
  }

  private Optional<NodePolicyStatus> status() {
    @Nullable TokenBucketNodeState state =
        client.resources(TokenBucketNodeState.class).withName(node).get();
    if (state == null || state.getStatus() == null || state.getStatus().policies() == null) {
      return Optional.empty();
    }
    return state.getStatus().policies().stream()
        .filter(policy -> policy.uid().equals(made.getMetadata().getUid()))
        .findFirst();
  }

  /** Deletes the policy and waits until it is gone. The node has stopped enforcing it by then. */
  void remove(Duration timeout) {
    resource().delete();
    await(
        timeout,
        () -> resource().get() == null,
        () -> "policy " + name() + " was deleted, but still exists");
  }

  private Resource<TokenBucketPolicy> resource() {
    return client.resources(TokenBucketPolicy.class).withName(name());
  }

  private static void await(Duration timeout, Supplier<Boolean> done, Supplier<String> why) {
    long end = System.nanoTime() + timeout.toNanos();
    while (!done.get()) {
      if (System.nanoTime() > end) {
        throw new ProbeException(why.get() + " (waited " + timeout.toSeconds() + " s)");
      }
      try {
        TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ProbeException("interrupted; " + why.get());
      }
    }
  }

  /** Deletes the policy without waiting. */
  @Override
  public void close() {
    resource().delete();
  }
}
