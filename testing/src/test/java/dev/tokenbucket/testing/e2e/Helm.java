// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** helm on one cluster, and this project's release there. */
final class Helm {
  static final String RELEASE = "tokenbucket";
  static final String NAMESPACE = "tokenbucket-system";

  private final Path program;
  private final Path kubeconfig;
  private final Path home;

  private Helm(Path program, Path kubeconfig, Path home) {
    this.program = program;
    this.kubeconfig = kubeconfig;
    this.home = home;
  }

  /**
   * helm as testing/helm/build.sh builds it.
   *
   * @param home the folder for helm's cache, configuration and data
   */
  static Helm of(Path kubeconfig, Path home) {
    try {
      Process build =
          new ProcessBuilder(Commands.repository() + "/testing/helm/build.sh")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String program = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (build.waitFor() != 0) {
        throw new StepFailedException("testing/helm/build.sh failed, see above", null);
      }
      return new Helm(Path.of(program.strip()), kubeconfig, home);
    } catch (IOException e) {
      throw new StepFailedException("testing/helm/build.sh: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted in testing/helm/build.sh", e);
    }
  }

  Path program() {
    return program;
  }

  /** Installs the chart, or upgrades to it, and waits until everything is ready. */
  String install(String... options) {
    return installFrom(Commands.repository().resolve("deploy/helm/tokenbucket"), options);
  }

  /** As {@link #install}, with the chart of a folder. */
  String installFrom(Path chart, String... options) {
    List<String> arguments = new ArrayList<>(List.of("upgrade", "--install", RELEASE));
    arguments.add(chart.toString());
    arguments.addAll(List.of("--wait", "--timeout=3m"));
    arguments.addAll(List.of(options));
    return run(arguments);
  }

  /** Rolls back to a revision, and waits until everything is ready. */
  String rollBack(int revision) {
    return run(List.of("rollback", RELEASE, "" + revision, "--wait", "--timeout=3m"));
  }

  /** The number of the release's newest revision. */
  int revision() {
    String history = run(List.of("history", RELEASE, "--max=1", "-o", "json"));
    return Integer.parseInt(history.replaceAll("(?s).*\"revision\":\\s*(\\d+).*", "$1"));
  }

  String uninstall() {
    return run(List.of("uninstall", RELEASE, "--wait", "--timeout=4m"));
  }

  boolean isInstalled() {
    return run(List.of("list", "-a", "-q")).contains(RELEASE);
  }

  private String run(List<String> arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "HELM_CACHE_HOME=" + home.resolve("cache"),
                "HELM_CONFIG_HOME=" + home.resolve("config"),
                "HELM_DATA_HOME=" + home.resolve("data"),
                program.toString(),
                "--kubeconfig=" + kubeconfig,
                "--namespace=" + NAMESPACE));
    command.addAll(arguments);
    return Commands.run(command);
  }
}
