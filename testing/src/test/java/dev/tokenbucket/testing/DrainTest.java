// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the uninstall's Job on a real API server, with and without an operator. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class DrainTest {
  @TempDir Path work;
  private ControlPlane controlPlane;
  private OperatedFleet fleet;

  @BeforeEach
  void start(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    fleet = new OperatedFleet(controlPlane, "drain", 2, work, Map.of());
    fleet.apply("p", 100, "{maxConcurrent: 100%}");
    fleet.apply("q", 100, "{maxConcurrent: 100%}");
    fleet.nodes.awaitProgrammed("p");
    fleet.nodes.awaitProgrammed("q");
  }

  @AfterEach
  void end() {
    fleet.close();
  }

  private record Result(int code, String output) {}

  /** Drains as the administrator; the chart's tests cover the rights of its Job. */
  private Result drain(String timeout) throws IOException, InterruptedException {
    ProcessBuilder command =
        new ProcessBuilder(
                List.of(
                    ProcessHandle.current().info().command().orElse("java"),
                    "-XX:TieredStopAtLevel=1",
                    "-jar",
                    Commands.repository()
                        .resolve("operator/target/quarkus-app/quarkus-run.jar")
                        .toString()))
            .redirectErrorStream(true);
    command
        .environment()
        .putAll(
            Map.of(
                "KUBECONFIG",
                controlPlane.kubeconfig().toString(),
                "TOKENBUCKET_MODE",
                "drain",
                "TOKENBUCKET_DRAIN_TIMEOUT",
                timeout));
    Process process = command.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }

  private List<TokenBucketPolicy> policies() {
    return controlPlane.client().resources(TokenBucketPolicy.class).list().getItems();
  }

  @Test
  void withTheOperatorEveryNodeHasConfirmedWhenItEnds() throws Exception {
    Result result = drain("60s");
    assertThat(result.output()).contains("deleting 2 policies", "drained: no policy is left");
    assertThat(result.code()).isZero();
    assertThat(policies()).isEmpty();
    assertThat(fleet.entries(0)).isEmpty();
    assertThat(fleet.entries(1)).isEmpty();
  }

  @Test
  void withoutTheOperatorNothingHangsAndTheNodesAreNamed() throws Exception {
    fleet.killOperator();
    Result result = drain("3s");
    assertThat(result.output())
        .contains("removing their finalizer")
        .contains("2 nodes did not confirm")
        .contains(fleet.node(0) + ", " + fleet.node(1))
        .contains("tb cleanup");
    assertThat(result.code()).isEqualTo(2);
    Poll.until("the policies to be gone", () -> policies().isEmpty());
    Daemon.pause(Duration.ofMillis(100));
    assertThat(fleet.entries(0)).as("their limits stay in force").hasSize(2);
    fleet.restartOperator();
  }

  @Test
  void aTimeoutThatIsNoneIsRefused() throws Exception {
    Result result = drain("soon");
    assertThat(result.output()).contains("TOKENBUCKET_DRAIN_TIMEOUT: \"soon\" must be a duration");
    assertThat(result.code()).isEqualTo(1);
    assertThat(policies()).hasSize(2);
  }
}
