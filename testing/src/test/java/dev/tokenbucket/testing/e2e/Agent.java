// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.StepFailedException;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An agent's running container.
 *
 * @param container its id, without the runtime's prefix
 * @param process the id of its process in this machine's namespace
 */
record Agent(
    ClusterNode node, String pod, String uid, String container, int restarts, long process) {
  /**
   * The path of the agent's token. /var/run is an absolute link, which would lead out of the
   * container.
   */
  static final String TOKEN = "/run/secrets/kubernetes.io/serviceaccount/token";

  /** The agent of a pod, if it is ready and has a process. */
  static Optional<Agent> of(ClusterNode node, Pod pod) {
    return pod.getStatus().getContainerStatuses().stream()
        .filter(status -> status.getReady() && status.getContainerID() != null)
        .flatMap(status -> of(node, pod, status).stream())
        .findFirst();
  }

  private static Optional<Agent> of(ClusterNode node, Pod pod, ContainerStatus status) {
    String container = status.getContainerID().replaceFirst("^containerd://", "");
    return node.processes(container).stream()
        .findFirst()
        .map(
            process ->
                new Agent(
                    node,
                    pod.getMetadata().getName(),
                    pod.getMetadata().getUid(),
                    container,
                    status.getRestartCount(),
                    process));
  }

  /** A file of the process under /proc. */
  String proc(String name) {
    return read(Path.of("/proc/" + process).resolve(name));
  }

  /** A file as the container sees it. */
  String file(String path) {
    return read(Path.of("/proc/" + process + "/root" + path));
  }

  /** The value of a line of /proc/PID/status. */
  String status(String key) {
    return proc("status")
        .lines()
        .filter(line -> line.startsWith(key + ":"))
        .map(line -> line.substring(key.length() + 1).strip())
        .findFirst()
        .orElseThrow(() -> new StepFailedException("/proc/PID/status has no " + key, null));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new StepFailedException("reading " + file, e);
    }
  }
}
