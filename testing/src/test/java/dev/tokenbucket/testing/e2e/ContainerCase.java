// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Poll;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;

/** What the agent's process may do, and how it behaves when its token has expired. */
final class ContainerCase {
  /** CAP_NET_ADMIN, CAP_PERFMON and CAP_BPF, as bits. */
  private static final long CAPABILITIES = 1L << 12 | 1L << 38 | 1L << 39;

  private static final int TOKEN_SECONDS = 600;

  /** The API server accepts a token for a minute longer than the token is valid. */
  private static final Duration LEEWAY = Duration.ofSeconds(75);

  private static final String SHORT_LIVED_TOKENS =
      """
      {"spec": {"template": {"spec": {"volumes": [{"name": "token", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": %d}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace",
                                    "fieldRef": {"fieldPath": "metadata.namespace"}}]}}]}}],
        "containers": [{"name": "agent", "volumeMounts": [{"name": "token", "readOnly": true,
          "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}]}}}}
      """
          .formatted(TOKEN_SECONDS);

  private final RealNodes nodes;

  ContainerCase(RealNodes nodes) {
    this.nodes = nodes;
  }

  void threeCapabilitiesAndAReadOnlyRoot() {
    for (ClusterNode node : nodes.cluster().nodes()) {
      Agent agent = nodes.awaitAgent(node);
      for (String set : new String[] {"CapPrm", "CapEff", "CapBnd"}) {
        assertThat(Long.parseUnsignedLong(agent.status(set), 16)).as(set).isEqualTo(CAPABILITIES);
      }
      assertThat(agent.status("CapAmb")).matches("0+");
      assertThat(agent.status("NoNewPrivs")).isEqualTo("1");
      assertThat(agent.status("Seccomp")).as("filtered").isEqualTo("2");
      assertThat(agent.proc("mountinfo").lines())
          .as("the root is mounted read-only")
          .anyMatch(line -> line.matches("\\d+ \\d+ \\S+ \\S+ / ro(,.*)?"));
    }
  }

  /** An agent with a token that is valid for 600 s. */
  record ShortLived(Agent agent, String token, Instant issued) {}

  /**
   * Gives all agents tokens of 600 s, the shortest possible, and returns the agent of one node,
   * which is to outlive its token.
   */
  ShortLived startWithShortLivedTokens(ClusterNode node) {
    nodes.kubectl(
        "patch", "daemonset", "tokenbucket-agent", "-n", Helm.NAMESPACE, "-p", SHORT_LIVED_TOKENS);
    nodes.kubectl(
        "rollout", "status", "daemonset/tokenbucket-agent", "-n", Helm.NAMESPACE, "--timeout=120s");
    Agent agent = nodes.awaitAgent(node);
    String token = agent.file(Agent.TOKEN);
    Instant issued = claim(token, "iat");
    assertThat(Duration.between(issued, claim(token, "exp")).toSeconds()).isEqualTo(TOKEN_SECONDS);
    return new ShortLived(agent, token, issued);
  }

  private static Instant claim(String token, String name) {
    String claims =
        new String(
            Base64.getUrlDecoder().decode(token.split("\\.", -1)[1]), StandardCharsets.UTF_8);
    return Instant.ofEpochSecond(
        Long.parseLong(claims.replaceAll(".*\"" + name + "\":(\\d+).*", "$1")));
  }

  /**
   * Waits until the first token has expired, and checks that the same process still writes its
   * status.
   */
  void outlivesItsToken(ShortLived then) {
    Instant over = then.issued().plus(LEEWAY).plusSeconds(TOKEN_SECONDS);
    Poll.until(
        "end of the agent's first token",
        Duration.ofSeconds(TOKEN_SECONDS).plus(LEEWAY),
        () -> Instant.now().isAfter(over));
    assertThat(nodes.cluster().accepts(then.token())).as("the first token is no more").isFalse();

    Agent now = nodes.awaitAgent(then.agent().node());
    assertThat(now.container()).as("the container").isEqualTo(then.agent().container());
    assertThat(now.file(Agent.TOKEN)).isNotEqualTo(then.token());
    nodes.apply("after-600-s", 1_000, "");
    nodes.awaitInForce("after-600-s");
    assertThat(nodes.reported(now.node())).isEqualTo("1/1");
    System.out.printf(
        "%s: the agent has lived for %d s with tokens of %d s, and writes its status%n",
        now.node().name(),
        Duration.between(then.issued(), Instant.now()).toSeconds(),
        TOKEN_SECONDS);
    nodes.removePolicies();
  }
}
