// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Sends packets over the node's loopback interface with and without a policy, and counts the
 * packets that arrive. The command needs the host's network, but no capability.
 */
@Command(
    name = "probe",
    hidden = true,
    description = "Proves with packets that a policy limits this node (helm test).")
public final class ProbeCommand implements Callable<Integer> {
  private static final int TIMES_RATE = 10;
  private static final double TOLERANCE = 0.05;
  private static final double LEAST_WITHOUT = 0.9;
  private static final Duration LEAD = Duration.ofSeconds(1);
  private static final Duration MEASURED = Duration.ofSeconds(3);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--node-name",
      defaultValue = "${env:NODE_NAME}",
      paramLabel = "NAME",
      description = "This node's name (default: NODE_NAME of the environment).")
  private @Nullable String node;

  @Option(
      names = "--rate",
      defaultValue = "500",
      paramLabel = "N",
      description =
          "The policy's rate in packets per second, 10 to 10000 (default: ${DEFAULT-VALUE}).")
  private long rate = 500;

  @Option(
      names = "--timeout",
      defaultValue = "60",
      paramLabel = "SECONDS",
      description =
          "How long to wait for the policy to be in force, and later to be gone"
              + " (default: ${DEFAULT-VALUE}).")
  private long timeoutSeconds = 60;

  @Override
  public Integer call() throws IOException {
    if (node == null || node.isBlank()) {
      throw new ParameterException(
          spec.commandLine(), "the node's name is not known: set NODE_NAME or give --node-name");
    }
    if (rate < 10 || rate > 10_000) {
      throw new ParameterException(spec.commandLine(), "--rate must be 10 to 10000, not " + rate);
    }
    try (KubernetesClient client = new KubernetesClientBuilder().build();
        LoopbackTraffic traffic = new LoopbackTraffic()) {
      return probe(client, node, traffic);
    }
  }

  private int probe(KubernetesClient client, String on, LoopbackTraffic traffic)
      throws IOException {
    LoopbackTraffic.Count without = traffic.run(TIMES_RATE * rate, Duration.ZERO, LEAD);
    LoopbackTraffic.Count under;
    try (ProbePolicy policy = ProbePolicy.make(client, on, traffic.port(), rate)) {
      say("policy %s on node %s: %d packets/s over lo", policy.name(), on, rate);
      policy.awaitProgrammed(Duration.ofSeconds(timeoutSeconds));
      under = traffic.run(TIMES_RATE * rate, LEAD, MEASURED);
      policy.remove(Duration.ofSeconds(timeoutSeconds));
    }
    LoopbackTraffic.Count after = traffic.run(TIMES_RATE * rate, Duration.ZERO, LEAD);
    row("without a policy", without);
    row("under the policy", under);
    row("policy deleted", after);
    boolean limited = Math.abs(under.arrivedRate() / rate - 1) <= TOLERANCE;
    boolean free = isFree(without) && isFree(after);
    say(
        limited && free
            ? "ok: the policy limits this node's packets, and nothing else does"
            : "FAILED: expected %d packets/s within %.0f %% under the policy, and at least %.0f %%"
                + " of those offered without",
        rate,
        100 * TOLERANCE,
        100 * LEAST_WITHOUT);
    return limited && free ? 0 : 1;
  }

  private static boolean isFree(LoopbackTraffic.Count count) {
    return count.arrived() >= LEAST_WITHOUT * count.offered();
  }

  private void row(String what, LoopbackTraffic.Count count) {
    say(
        "%-18s offered %,7.0f/s   arrived %,7.0f/s",
        what, count.offeredRate(), count.arrivedRate());
  }

  private void say(String format, Object... values) {
    PrintWriter out = spec.commandLine().getOut();
    out.printf(format + "%n", values);
    out.flush();
  }
}
