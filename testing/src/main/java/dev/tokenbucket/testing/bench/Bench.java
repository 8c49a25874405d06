// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.TestHost;
import dev.tokenbucket.testing.TestNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * Creates a host, which is a network namespace with a BPF file system, and runs {@link BenchRun} on
 * it. The host is removed when this process ends.
 */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures what a packet costs, and what passes through a limited interface.")
public final class Bench implements Callable<Integer> {
  private static final int TAIL_LINES = 10;

  @Mixin private BenchOptions options = new BenchOptions();

  private final List<String> arguments;

  private Bench(List<String> arguments) {
    this.arguments = arguments;
  }

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Bench(List.of(arguments))).execute(arguments));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    options.check();
    Commands.repository();
    Path folder = Files.createTempDirectory("tokenbucket-bench-");
    TestNetwork network = TestNetwork.of(1, folder);
    Path log = options.json.toAbsolutePath().resolveSibling("bench.log");
    Files.createDirectories(log.getParent());
    Process run =
        new ProcessBuilder(command(network.hosts().get(0)))
            .inheritIO()
            .redirectError(log.toFile())
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> cleanUp(run, network, folder)));
    int status = run.waitFor();
    if (status != 0) {
      List<String> lines = Files.readAllLines(log);
      System.err.printf(
          "the bench failed; %s ends with:%n%s%n",
          log,
          String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size())));
    }
    return status;
  }

  private List<String> command(TestHost host) {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                BenchRun.class.getName(),
                "--bpffs",
                host.bpffs().toString()));
    command.addAll(arguments);
    return host.inside(command);
  }

  /**
   * Also runs on an interrupt. The run has received the interrupt too, and gets the time to end.
   */
  private static void cleanUp(Process run, TestNetwork network, Path folder) {
    run.destroy();
    run.onExit().join();
    network.close();
    Commands.tryRun("rm", "-rf", "--one-file-system", folder.toString());
  }
}
