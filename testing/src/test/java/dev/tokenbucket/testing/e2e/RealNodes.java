// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.testing.Arrivals;
import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.Poll;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.TestHost;
import dev.tokenbucket.testing.TrafficRun;
import io.fabric8.kubernetes.api.model.Pod;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The fixture that the cases share: a cluster with the images imported, and the chart on it. */
final class RealNodes implements AutoCloseable {
  static final int BURST = 100;
  static final Duration MINUTE = Duration.ofMinutes(1);
  private static final Duration AGENT = Duration.ofMinutes(2);
  private static final double LOAD_AT_MOST_SECONDS = 300;
  private static final int TRIES = 3;

  /** How far the timestamps of packets may be off that a busy kernel handled late, in seconds. */
  private static final double STAMPS = 0.02;

  private final TwoNodeCluster cluster;
  private final Helm helm;
  private final Path folder;

  private RealNodes(Path folder, TwoNodeCluster cluster, Helm helm) {
    this.folder = folder;
    this.cluster = cluster;
    this.helm = helm;
  }

  static RealNodes start(Path folder) {
    Path archives = Commands.repository().resolve("testing/target/images");
    String built = Commands.run(script("deploy/images/build.sh"), archives.toString());
    System.out.print(built);
    TwoNodeCluster cluster =
        TwoNodeCluster.start(
            folder, Stream.of("operator.tar", "agent.tar").map(archives::resolve).toList());
    return new RealNodes(
        folder, cluster, Helm.of(cluster.controlPlane().kubeconfig(), folder.resolve("helm")));
  }

  private static String script(String path) {
    return Commands.repository().resolve(path).toString();
  }

  TwoNodeCluster cluster() {
    return cluster;
  }

  /** The folder with everything that a run creates. */
  Path folder() {
    return folder;
  }

  Helm helm() {
    return helm;
  }

  ClusterNode node(int number) {
    return cluster.nodes().get(number - 1);
  }

  String kubectl(String... arguments) {
    return cluster.kubectl(arguments);
  }

  /**
   * A script in the checkout's folder, with kubectl and helm on the PATH and configured for the
   * cluster.
   */
  List<String> inGuide(String script) {
    Path kubectl = Path.of(cluster.controlPlane().kubectl().get(0));
    return List.of(
        "env",
        "KUBECONFIG=" + cluster.controlPlane().kubeconfig(),
        "PATH=%s:%s:%s"
            .formatted(kubectl.getParent(), helm.program().getParent(), System.getenv("PATH")),
        "bash",
        "-euc",
        "cd \"$0\"; " + script,
        Commands.repository().toString());
  }

  /** Installs the chart with its defaults, whatever an earlier case left behind. */
  void install(String... options) {
    if (cluster.client().namespaces().withName(Helm.NAMESPACE).get() == null) {
      kubectl("create", "namespace", Helm.NAMESPACE);
      kubectl(
          "label", "namespace", Helm.NAMESPACE, "pod-security.kubernetes.io/enforce=privileged");
    }
    helm.install(options);
  }

  /** Applies a policy for all UDP traffic to the port that {@link TrafficRun} sends to. */
  void apply(String name, int packetsPerSecond, String rest) {
    Commands.runWithInput(
        policy(name, packetsPerSecond, rest), cluster.controlPlane().kubectl("apply", "-f", "-"));
  }

  static String policy(String name, int packetsPerSecond, String rest) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec:
      rate: {packetsPerSecond: %d}
      burst: {packets: %d}
      match: [{protocol: UDP, destinationPorts: [5000]}]
    %s\
    """
        .formatted(name, packetsPerSecond, BURST, rest);
  }

  /** Deletes all policies, and waits until no node enforces them. */
  void removePolicies() {
    if (kubectl("get", "crds", "-o", "name").contains("tokenbucketpolicies")) {
      kubectl("delete", "tbp", "--all", "--timeout=60s");
    }
  }

  /** Waits until the newest generation of a policy is in force on all its nodes. */
  void awaitInForce(String policy) {
    Poll.until(policy + " in force", MINUTE, () -> "in force".equals(summary(policy)));
  }

  /** The STATUS in {@code kubectl get tbp}; empty if the newest generation has none. */
  String summary(String policy) {
    TokenBucketPolicy there =
        cluster.client().resources(TokenBucketPolicy.class).withName(policy).get();
    if (there == null
        || there.getStatus() == null
        || !there.getMetadata().getGeneration().equals(there.getStatus().observedGeneration())) {
      return "";
    }
    String summary = there.getStatus().summary();
    return summary == null ? "" : summary;
  }

  /** The last report of a node's agent, if there is one. */
  Optional<TokenBucketNodeStateStatus> report(ClusterNode node) {
    return Optional.ofNullable(
            cluster.client().resources(TokenBucketNodeState.class).withName(node.name()).get())
        .map(TokenBucketNodeState::getStatus);
  }

  /**
   * The condition Programmed of the newest generation, as {@code reason: message}; empty if there
   * is none.
   */
  String programmed(String policy) {
    TokenBucketPolicy there =
        cluster.client().resources(TokenBucketPolicy.class).withName(policy).get();
    if (there == null || there.getStatus() == null || there.getStatus().conditions() == null) {
      return "";
    }
    return there.getStatus().conditions().stream()
        .filter(condition -> condition.getType().equals("Programmed"))
        .filter(
            condition ->
                there.getMetadata().getGeneration().equals(condition.getObservedGeneration()))
        .map(condition -> condition.getReason() + ": " + condition.getMessage())
        .findFirst()
        .orElse("");
  }

  /**
   * The summary in the last report of a node's agent, as {@code programmed/all}; empty without a
   * report.
   */
  String reported(ClusterNode node) {
    return report(node).map(TokenBucketNodeStateStatus::summary).orElse("");
  }

  /** Whether a node's kernel runs a policy, with or without an agent. */
  boolean enforces(ClusterNode node, String policy) {
    Commands.Outcome status = node.end(script("bin/tb"), "status");
    if (status.code() != 0 && status.code() != TestHost.NO_HOOK) {
      throw new StepFailedException("tb status on " + node.name() + ": " + status.output(), null);
    }
    return status.output().contains(policy);
  }

  /** Runs {@code tb} in the agent's container. */
  String tb(ClusterNode node, String... arguments) {
    List<String> command =
        new ArrayList<>(List.of("exec", "-n", Helm.NAMESPACE, awaitAgent(node).pod(), "--", "tb"));
    command.addAll(List.of(arguments));
    return kubectl(command.toArray(String[]::new));
  }

  /** Runs {@code tb} in the agent's container, and accepts that it may be killed. */
  void tryTb(ClusterNode node, String... arguments) {
    try {
      tb(node, arguments);
    } catch (StepFailedException e) {
      System.out.println("tb was ended: " + e.getMessage());
    }
  }

  /** The packets per second that arrive at a node when far more are sent. */
  double arriving(ClusterNode node, int packetsPerSecond, double seconds) {
    try (TrafficRun run = traffic(node, packetsPerSecond, seconds, false)) {
      return run.result().received().perSecond();
    }
  }

  /**
   * Sends four times a policy's rate, and fails unless the arrivals match the rate within 1 %. Too
   * many arrivals fail at once. Too few are measured again, because on a busy machine a sender may
   * be held up for longer than a burst lasts, and then sends too little.
   *
   * @return the arrivals per second
   */
  double assertLimited(ClusterNode node, int rate, double seconds) {
    double arriving = 0;
    for (int i = 0; i < TRIES && arriving < rate * 0.99; i++) {
      arriving = arriving(node, 4 * rate, seconds);
      assertThat(arriving).isLessThanOrEqualTo(Arrivals.atMost(rate, BURST, seconds));
    }
    assertThat(arriving).isGreaterThanOrEqualTo(rate * 0.99);
    return arriving;
  }

  private TrafficRun traffic(ClusterNode node, int packetsPerSecond, double seconds, boolean each) {
    return TrafficRun.start(
        command -> cluster.network().atClient(first(command)),
        command -> node.inNetwork(first(command)),
        node.address(),
        List.of(new TrafficRun.Sender(ClusterNetwork.CLIENT_ADDRESSES.get(0), packetsPerSecond)),
        seconds,
        each);
  }

  /**
   * Gives a command priority over other load: a sender held up for longer than a burst lasts sends
   * too little.
   */
  private static List<String> first(List<String> command) {
    return Stream.concat(Stream.of("nice", "-n", "-15"), command.stream()).toList();
  }

  /** Starts traffic whose limit is judged over every interval, until {@link Load#judge}. */
  Load load(ClusterNode node, int rate) {
    return new Load(node, traffic(node, 4 * rate, LOAD_AT_MOST_SECONDS, true), rate);
  }

  /**
   * Running traffic.
   *
   * @param rate the rate that the traffic is to be limited to, with {@link #BURST}
   */
  record Load(ClusterNode node, TrafficRun run, int rate) {
    /**
     * Ends the traffic. Fails if more than B + Q * length passed in any interval, or if too little
     * arrived.
     */
    void judge(String what) {
      List<Long> arrivals = run.stop().arrivals();
      double seconds = (arrivals.get(arrivals.size() - 1) - arrivals.get(0)) / 1e9;
      double beyond = Arrivals.mostBeyondTheBound(arrivals, rate, BURST);
      System.out.printf(
          "%s, %s: %d packets in %.1f s; of all intervals the one closest to B + Q*t is %.1f"
              + " packets under it%n",
          what, node.name(), arrivals.size(), seconds, -beyond);
      if (beyond > STAMPS * rate || arrivals.size() < 0.95 * rate * seconds) {
        throw new AssertionError(
            "%s: %d packets arrived at %s in %.1f s, in an interval %.1f more than B + Q*t"
                .formatted(what, arrivals.size(), node.name(), seconds, beyond));
      }
    }
  }

  /** The agent's pod on a node, if there is one that is not being deleted. */
  @Nullable Pod agentPod(ClusterNode node) {
    return cluster
        .client()
        .pods()
        .inNamespace(Helm.NAMESPACE)
        .withLabel("app.kubernetes.io/component", "agent")
        .list()
        .getItems()
        .stream()
        .filter(pod -> node.name().equals(pod.getSpec().getNodeName()))
        .filter(pod -> pod.getMetadata().getDeletionTimestamp() == null)
        .findFirst()
        .orElse(null);
  }

  /** Waits until the agent of a node is ready. */
  Agent awaitAgent(ClusterNode node) {
    Poll.until("agent ready on " + node.name(), AGENT, () -> agent(node).isPresent());
    return agent(node).orElseThrow();
  }

  /** The agent of a node, if it is ready. */
  Optional<Agent> agent(ClusterNode node) {
    Pod pod = agentPod(node);
    return pod == null ? Optional.empty() : Agent.of(node, pod);
  }

  /** Ends the cluster. Logs stay; the images that the nodes unpacked are large and are deleted. */
  @Override
  public void close() {
    cluster.close();
    for (ClusterNode node : cluster.nodes()) {
      Commands.tryRun("rm", "-rf", node.folder().resolve("containerd").toString());
    }
  }
}
