// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A control plane with this project's CRDs and roles, on which operators can be started. */
public final class Cluster {
  private static final String NAMESPACE = "tokenbucket-system";
  private static final Duration ADMISSION_READY = Duration.ofSeconds(20);
  private static final Duration OPERATOR_READY = Duration.ofSeconds(60);

  private final ControlPlane controlPlane;

  public Cluster(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
  }

  /** Applies the plain manifests. */
  public void install() {
    kubectl(
        "apply",
        "-f",
        Commands.repository().resolve("deploy/manifests/tokenbucket.yaml").toString());
    kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd/tokenbucketpolicies.tokenbucket.dev",
        "crd/tokenbucketaddresssets.tokenbucket.dev",
        "crd/tokenbucketnodestates.tokenbucket.dev");
    awaitAdmission("tokenbucket", NAMESPACE, "tokenbucket-agent");
  }

  /**
   * Waits until the admission policies take effect, which takes the API server a moment.
   *
   * @param name the prefix of their names
   * @param agent the agents' service account
   */
  public void awaitAdmission(String name, String namespace, String agent) {
    awaitRefusal(
        name + "-owned-writes",
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketNodeState
        metadata: {name: admission-probe}
        spec: {policies: []}
        """,
        "--as=system:serviceaccount:" + namespace + ":" + agent,
        "--as-group=system:masters");
    awaitRefusal(
        name + "-node-selectors",
        """
        apiVersion: tokenbucket.dev/v1alpha1
        kind: TokenBucketPolicy
        metadata: {name: admission-probe}
        spec:
          rate: {packetsPerSecond: 1}
          nodeSelector: {matchExpressions: [{key: probe, operator: Probe}]}
        """);
  }

  private void awaitRefusal(String admissionPolicy, String manifest, String... options) {
    List<String> create = new ArrayList<>(List.of("create", "--dry-run=server", "-f", "-"));
    create.addAll(List.of(options));
    List<String> command = controlPlane.kubectl(create.toArray(String[]::new));
    long end = System.nanoTime() + ADMISSION_READY.toNanos();
    while (true) {
      try {
        Commands.runWithInput(manifest, command);
      } catch (StepFailedException e) {
        if (String.valueOf(e.getMessage()).contains(admissionPolicy)) {
          return;
        }
        throw e;
      }
      if (System.nanoTime() > end) {
        throw new StepFailedException(
            admissionPolicy + " refuses nothing after " + ADMISSION_READY.toSeconds() + " s", null);
      }
      Daemon.pause(Duration.ofMillis(50));
    }
  }

  /** Runs kubectl as the administrator. */
  public String kubectl(String... arguments) {
    return Commands.run(controlPlane.kubectl(arguments));
  }

  /** Applies a manifest as the administrator. */
  public void apply(String manifest) {
    Commands.runWithInput(manifest, controlPlane.kubectl("apply", "-f", "-"));
  }

  /** Starts the operator with its service account's rights, and waits until it is ready. */
  public Daemon startOperator(Path log, Daemon.Lifetime lifetime) {
    return startOperator(log, lifetime, Map.of());
  }

  /**
   * Starts the operator with additional environment variables: {@code POD_NAME} is its identity in
   * the lease, {@code KUBECONFIG} another route to the API server.
   */
  public Daemon startOperator(Path log, Daemon.Lifetime lifetime, Map<String, String> environment) {
    Path jar = Commands.repository().resolve("operator/target/quarkus-app/quarkus-run.jar");
    Map<String, String> all = new HashMap<>();
    all.put("KUBECONFIG", operatorKubeconfig().toString());
    all.putAll(environment);
    return Daemon.start(
            "the operator",
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xms24m",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=0",
                "-jar",
                jar.toString()),
            all,
            log,
            lifetime)
        .ready("operator ready", OPERATOR_READY);
  }

  /** A kubeconfig with the operator's rights. */
  public Path operatorKubeconfig() {
    return controlPlane.serviceAccountKubeconfig(NAMESPACE, "tokenbucket-operator");
  }

  /** A kubeconfig with the operator's rights, for a proxy that has the API server's certificate. */
  public Path operatorKubeconfig(URI proxy) {
    return controlPlane.serviceAccountKubeconfig(NAMESPACE, "tokenbucket-operator", proxy);
  }

  /** A kubeconfig for the agent of an existing node, with a token bound to that node. */
  public Path agentKubeconfig(String node) {
    return controlPlane.nodeBoundKubeconfig(NAMESPACE, "tokenbucket-agent", node);
  }

  /** The token of {@link #agentKubeconfig}. */
  public String agentToken(String node) {
    return controlPlane.nodeBoundToken(NAMESPACE, "tokenbucket-agent", node);
  }
}
