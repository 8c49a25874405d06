// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.testing.Commands;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures the operator with thousands of nodes whose agents are simulated. */
@Command(
    name = "bench-scale",
    mixinStandardHelpOptions = true,
    description = "Measures the operator over many nodes, with real API server and etcd.")
public final class ScaleBench implements Callable<Integer> {
  @Option(
      names = "--nodes",
      split = ",",
      defaultValue = "1000,5000",
      description = "Numbers of nodes, one run each (default: ${DEFAULT-VALUE}).")
  private List<Integer> nodes = List.of();

  @Option(
      names = "--policies",
      defaultValue = "50",
      description = "How many policies (default: ${DEFAULT-VALUE}).")
  private int policies;

  @Option(
      names = "--everywhere",
      defaultValue = "5",
      description =
          "How many of them select every node; each other one a tenth of them (default:"
              + " ${DEFAULT-VALUE}).")
  private int everywhere;

  @Option(
      names = "--steady",
      defaultValue = "60",
      description = "Seconds in which nothing is to be written (default: ${DEFAULT-VALUE}).")
  private int steady;

  @Option(
      names = "--json",
      defaultValue = "target/bench/scale.json",
      description = "Where the figures go (default: ${DEFAULT-VALUE}).")
  private Path json = Path.of("");

  @Option(names = "--page", description = "A page whose table is replaced.")
  private @Nullable Path page;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new ScaleBench()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    Commands.repository();
    Path folder = Files.createTempDirectory("tokenbucket-scale-");
    List<ScaleResult.Size> sizes = new ArrayList<>();
    for (int size : nodes) {
      try (ScaleRun run =
          new ScaleRun(
              folder.resolve(String.valueOf(size)),
              new ScalePolicies(policies, everywhere),
              size)) {
        sizes.add(run.measure(Duration.ofSeconds(steady)));
      }
    }
    ScaleResult result = new ScaleResult(machine(), sizes);
    Files.createDirectories(json.toAbsolutePath().getParent());
    Files.writeString(json, Serialization.asJson(result));
    String table = ScaleReport.markdown(result);
    System.out.println(table);
    if (page != null) {
      Files.writeString(page, ScaleReport.replaced(Files.readString(page), table));
    }
    Commands.tryRun("rm", "-rf", "--one-file-system", folder.toString());
    return 0;
  }

  private static String machine() throws IOException {
    return "Measured %s on kernel %s, %d CPUs, which simulated agents and API server share with the operator."
        .formatted(
            Instant.now().truncatedTo(ChronoUnit.SECONDS),
            Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip(),
            Runtime.getRuntime().availableProcessors());
  }
}
