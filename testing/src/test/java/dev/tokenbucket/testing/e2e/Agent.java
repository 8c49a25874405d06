package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.StepFailedException;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An agent's container as it runs.
 *
 * @param container its id, without the runtime's prefix
 * @param process the id of its process as this machine knows it
 */
record Agent(
    ClusterNode node, String pod, String uid, String container, int restarts, long process) {
  static Agent of(ClusterNode node, Pod pod) {
    ContainerStatus status = pod.getStatus().getContainerStatuses().get(0);
    String container = status.getContainerID().replaceFirst("^containerd://", "");
    List<Long> processes = node.processes(container);
    if (processes.isEmpty()) {
      throw new StepFailedException("the agent of " + node.name() + " has no process", null);
    }
    return new Agent(
        node,
        pod.getMetadata().getName(),
        pod.getMetadata().getUid(),
        container,
        status.getRestartCount(),
        processes.get(0));
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
