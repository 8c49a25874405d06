// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.NodePlace;
import dev.tokenbucket.agent.source.NodeStateSource;
import dev.tokenbucket.agent.source.PolicyDirectorySource;
import dev.tokenbucket.agent.source.SourceOpening;
import dev.tokenbucket.api.client.ClusterAccess;
import io.fabric8.kubernetes.client.Config;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The source of this node's desired state: a folder, or a cluster. */
public final class SourceOptions {
  static final class Source {
    @Option(
        names = "--policies",
        paramLabel = "DIR",
        description = "A folder of policy files, to run without a cluster.")
    @Nullable Path policies;

    @Option(
        names = "--kubeconfig",
        paramLabel = "FILE",
        description = "The kubeconfig file of the cluster that says what to run.")
    @Nullable Path kubeconfig;

    @Option(
        names = "--in-cluster",
        description =
            "Uses the cluster of the pod that the agent runs in, with the pod's service"
                + " account (default in a pod).")
    boolean inCluster;
  }

  @ArgGroup(multiplicity = "0..1")
  @Nullable Source source;

  @Option(
      names = "--node-name",
      paramLabel = "NAME",
      description =
          "This node's name (default: NODE_NAME of the environment; with --kubeconfig"
              + " and without NODE_NAME, the host's name).")
  @Nullable String nodeName;

  /**
   * Opens the source that the options and the environment describe, checked before anything is
   * programmed.
   *
   * @throws IOException if they are incomplete; the message says what to add
   */
  SourceOpening opening(HostOptions host, Map<String, String> environment) throws IOException {
    Source given = source == null ? new Source() : source;
    if (given.policies != null) {
      Path folder = given.policies;
      return (findings, wake) -> new PolicyDirectorySource(folder, host.stateDir);
    }
    if (given.kubeconfig != null) {
      return cluster(
          ClusterAccess.ofKubeconfig(given.kubeconfig), environment, false, host.stateDir);
    }
    if (given.inCluster || ClusterAccess.inPod(environment, ClusterAccess.SERVICE_ACCOUNT)) {
      return cluster(
          ClusterAccess.ofPod(environment, ClusterAccess.SERVICE_ACCOUNT),
          environment,
          true,
          host.stateDir);
    }
    throw new IOException(
        "no source of policies is given, and this process does not run in a pod with a"
            + " service account; give --policies DIR or --kubeconfig FILE");
  }

  private SourceOpening cluster(
      Config config, Map<String, String> environment, boolean inPod, Path stateDir)
      throws IOException {
    String name = NodePlace.name(nodeName, environment, inPod);
    return (findings, wake) -> new NodeStateSource(config, name, stateDir, findings, wake);
  }
}
