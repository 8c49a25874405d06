package dev.tokenbucket.testing;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A control plane with our CRDs and roles, and how the operator is started on it. */
public final class Cluster {
  private static final String NAMESPACE = "tokenbucket-system";
  private static final Duration OPERATOR_READY = Duration.ofSeconds(60);

  private final ControlPlane controlPlane;

  public Cluster(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
  }

  /** Applies the CRDs and the plain manifests. */
  public void install() {
    Path root = Commands.repository();
    for (String crd : List.of("tokenbucketpolicies", "tokenbucketnodestates")) {
      kubectl("apply", "-f", root.resolve("crds/" + crd + ".tokenbucket.dev-v1.yml").toString());
    }
    kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd/tokenbucketpolicies.tokenbucket.dev",
        "crd/tokenbucketnodestates.tokenbucket.dev");
    kubectl("apply", "-f", root.resolve("deploy/manifests/namespace.yaml").toString());
    kubectl("apply", "-f", root.resolve("deploy/manifests").toString());
  }

  /** kubectl as the administrator. */
  public String kubectl(String... arguments) {
    return Commands.run(controlPlane.kubectl(arguments));
  }

  /** Starts the operator with its service account's rights, and waits until it is ready. */
  public Daemon startOperator(Path log, Daemon.Lifetime lifetime) {
    Path jar = Commands.repository().resolve("operator/target/quarkus-app/quarkus-run.jar");
    return Daemon.start(
            "the operator",
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=0",
                "-jar",
                jar.toString()),
            Map.of(
                "KUBECONFIG",
                controlPlane
                    .serviceAccountKubeconfig(NAMESPACE, "tokenbucket-operator")
                    .toString()),
            log,
            lifetime)
        .ready("operator ready", OPERATOR_READY);
  }

  /** A kubeconfig with an agent's rights. */
  public Path agentKubeconfig() {
    return controlPlane.serviceAccountKubeconfig(NAMESPACE, "tokenbucket-agent");
  }
}
