// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.Inside;
import dev.tokenbucket.testing.Poll;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * The resources that a busy agent takes from its node. The figures are only printed; the counts of
 * policies and interfaces are asserted.
 */
record FootprintCase(RealNodes nodes) {
  private static final int POLICIES = 64;
  private static final int INTERFACES = 10;
  private static final Duration REST = Duration.ofSeconds(60);

  /**
   * The time until the first read-back that finds nothing to do, including the JVM's compilation
   * until then.
   */
  private static final Duration SETTLED = Duration.ofSeconds(60);

  void sixtyFourPoliciesOnTenInterfaces(ClusterNode node) {
    for (int i = 1; i < INTERFACES; i++) {
      Commands.run(
          node.inNetwork(
              List.of("ip", "link", "add", "x" + i, "type", "veth", "peer", "name", "y" + i)));
      Commands.run(node.inNetwork(List.of("ip", "link", "set", "x" + i, "up")));
    }
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < POLICIES; i++) {
      many.append(
              RealNodes.policy(
                  "many-" + i,
                  1_000 + i,
                  """
                    interfaces: [{name: eth0}, {pattern: "x*"}]
                    nodeSelector: {matchLabels: {kubernetes.io/hostname: %s}}
                  """
                      .formatted(node.name())))
          .append("---\n");
    }
    Commands.runWithInput(
        many.toString(), nodes.cluster().controlPlane().kubectl("apply", "-f", "-"));
    String all = POLICIES + "/" + POLICIES;
    Poll.until("all programmed", RealNodes.MINUTE, () -> all.equals(nodes.reported(node)));
    assertThat(nodes.report(node).orElseThrow().policies())
        .allSatisfy(policy -> assertThat(policy.interfaces()).hasSize(INTERFACES));

    double toReady = restartedUntilReady(node);
    Agent agent = nodes.awaitAgent(node);
    Poll.until("all programmed again", RealNodes.MINUTE, () -> all.equals(nodes.reported(node)));
    Daemon.pause(SETTLED);
    Duration before = cpu(agent);
    Daemon.pause(REST);
    double share = (cpu(agent).toMillis() - before.toMillis()) / (double) REST.toMillis();
    System.out.printf(
        "agent in its pod, %d policies on %d interfaces: ready %.2f s after its container started,"
            + " RSS %s, at rest %.2f %% of a core over %d s%n",
        POLICIES, INTERFACES, toReady, agent.status("VmRSS"), 100 * share, REST.toSeconds());
    nodes.removePolicies();
  }

  private static Duration cpu(Agent agent) {
    return ProcessHandle.of(agent.process()).orElseThrow().info().totalCpuDuration().orElseThrow();
  }

  /**
   * Deletes the pod. Returns the seconds from the start of the next pod's process to its first
   * "ready".
   */
  private double restartedUntilReady(ClusterNode node) {
    Agent before = nodes.awaitAgent(node);
    nodes.kubectl("delete", "pod", "-n", Helm.NAMESPACE, before.pod(), "--wait=true");
    Instant ready = firstReady(node);
    Agent after = nodes.awaitAgent(node);
    assertThat(after.uid()).isNotEqualTo(before.uid());
    Instant started =
        ProcessHandle.of(after.process()).orElseThrow().info().startInstant().orElseThrow();
    return Duration.between(started, ready).toMillis() / 1e3;
  }

  private static Instant firstReady(ClusterNode node) {
    try {
      return Inside.call(
          node.networkNamespace(),
          () -> {
            HttpClient client = HttpClient.newHttpClient();
            Poll.until("readiness", RealNodes.MINUTE, () -> isReady(client));
            return Instant.now();
          });
    } catch (Exception e) {
      throw new AssertionError("asking the agent of " + node.name(), e);
    }
  }

  private static boolean isReady(HttpClient client) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:9464/readyz"))
            .timeout(Duration.ofSeconds(2))
            .build();
    try {
      return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false; // nobody listens yet
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
