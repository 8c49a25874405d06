// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.Poll;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/** A pod in its node's pod network that has nothing to do with limits. */
record Bystander(RealNodes nodes, ClusterNode node) {
  private static final String NAME = "bystander";

  /** Starts the pod from the agent's image, which each node has, and waits until it runs. */
  static Bystander start(RealNodes nodes, ClusterNode node) {
    String image =
        Objects.requireNonNull(nodes.agentPod(node)).getSpec().getContainers().get(0).getImage();
    Commands.runWithInput(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s, namespace: default}
        spec:
          nodeName: %s
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: "%s", imagePullPolicy: Never, args: [hold]}]
        """
            .formatted(NAME, node.name(), image),
        nodes.cluster().controlPlane().kubectl("apply", "-f", "-"));
    Bystander bystander = new Bystander(nodes, node);
    bystander.awaitStarted();
    return bystander;
  }

  /** Waits until the pod runs, and returns when its present process started. */
  Instant awaitStarted() {
    Poll.until("a process of " + NAME, RealNodes.MINUTE, () -> started().isPresent());
    return started().orElseThrow();
  }

  private Optional<Instant> started() {
    Pod pod = nodes.cluster().client().pods().inNamespace("default").withName(NAME).get();
    return pod.getStatus().getContainerStatuses().stream()
        .filter(status -> status.getState().getRunning() != null)
        .flatMap(
            status ->
                node.processes(status.getContainerID().replaceFirst("^containerd://", "")).stream())
        .findFirst()
        .flatMap(ProcessHandle::of)
        .flatMap(process -> process.info().startInstant());
  }

  void remove() {
    nodes.kubectl("delete", "pod", NAME, "-n", "default", "--timeout=60s");
  }
}
