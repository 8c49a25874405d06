// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Waits until a DaemonSet's pods are ready on every node, since Helm itself does not wait for hooks
 * of this kind. Then deletes the operators' lease, which does not belong to a release.
 */
@Command(
    name = "await-daemonset",
    hidden = true,
    description = "Waits until each pod of a DaemonSet is ready.")
public final class AwaitDaemonSetCommand implements Callable<Integer> {
  private static final Duration LOOK = Duration.ofSeconds(1);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "NAME", description = "The DaemonSet's name.")
  private String name = "";

  @Option(
      names = "--namespace",
      required = true,
      paramLabel = "NAME",
      description = "The DaemonSet's namespace.")
  private String namespace = "";

  @Option(
      names = "--timeout",
      required = true,
      paramLabel = "SECONDS",
      description = "How long to wait.")
  private long timeoutSeconds;

  @Option(
      names = "--then-delete-lease",
      required = true,
      paramLabel = "NAME",
      description = "A lease in that namespace, which is deleted at the end.")
  private String lease = "";

  @Override
  public Integer call() throws InterruptedException {
    try (KubernetesClient client = new KubernetesClientBuilder().build()) {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeoutSeconds);
      while (System.nanoTime() < end) {
        @Nullable DaemonSet set =
            client.apps().daemonSets().inNamespace(namespace).withName(name).get();
        if (set != null && isReady(set)) {
          say("every node is done: " + set.getStatus().getNumberReady());
          client.leases().inNamespace(namespace).withName(lease).delete();
          return 0;
        }
        TimeUnit.MILLISECONDS.sleep(LOOK.toMillis());
      }
      say("not done within " + timeoutSeconds + " s: " + laggards(client));
      return 1;
    }
  }

  private static boolean isReady(DaemonSet set) {
    @Nullable DaemonSetStatus status = set.getStatus();
    return status != null
        && set.getMetadata().getGeneration().equals(status.getObservedGeneration())
        && status.getDesiredNumberScheduled().equals(status.getNumberReady());
  }

  private List<String> laggards(KubernetesClient client) {
    return client
        .pods()
        .inNamespace(namespace)
        .withLabel("tokenbucket.dev/hook", name)
        .list()
        .getItems()
        .stream()
        .filter(pod -> !Readiness.isPodReady(pod))
        .map(AwaitDaemonSetCommand::nodeAndPod)
        .toList();
  }

  private static String nodeAndPod(Pod pod) {
    return "node " + pod.getSpec().getNodeName() + " (pod " + pod.getMetadata().getName() + ")";
  }

  private void say(String line) {
    spec.commandLine().getOut().println(line);
    spec.commandLine().getOut().flush();
  }
}
