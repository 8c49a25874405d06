// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.testing.chart.Alerts;
import dev.tokenbucket.testing.chart.Dashboards;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the operator tells of itself: health, metrics, and logs as JSON. */
@ExtendWith(ControlPlaneExtension.class)
class OperatorEndpointsTest {
  private static final Pattern PORT = Pattern.compile("Listening on: http://127.0.0.1:(\\d+)");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http = HttpClient.newHttpClient();

  @Test
  void healthMetricsAndLogsSayHowItIs(ControlPlane controlPlane, @TempDir Path work)
      throws IOException {
    Cluster cluster = new Cluster(controlPlane);
    try (Daemon operator =
            cluster.startOperator(
                work.resolve("operator.log"),
                Daemon.Lifetime.WITH_PARENT,
                Map.of("QUARKUS_LOG_CONSOLE_JSON_ENABLED", "true"));
        SimulatedAgents agents = SimulatedAgents.start(controlPlane);
        SimulatedNodes nodes = new SimulatedNodes(controlPlane, "seen", 3)) {
      operator.awaitLog("Listening on:", Duration.ofSeconds(20));
      nodes.apply("seen", 100);
      nodes.awaitProgrammed("seen");

      assertThat(JSON.readTree(get(operator, "/q/health/live")).path("status").asText())
          .isEqualTo("UP");
      JsonNode ready = JSON.readTree(get(operator, "/q/health/ready"));
      assertThat(ready.path("status").asText()).isEqualTo("UP");
      assertThat(ready.findValue("leading").asBoolean()).isTrue();

      Poll.until(
          "gauge of the programmed nodes",
          () ->
              get(operator, "/q/metrics")
                  .contains("tokenbucket_policy_nodes{policy=\"seen\",state=\"programmed\"} 3.0"));
      assertThat(get(operator, "/q/metrics"))
          .contains("tokenbucket_operator_leader 1.0")
          .containsPattern(
              "tokenbucket_policy_condition\\{condition=\"Programmed\",policy=\"seen\",reason=\"\\w+\"\\}"
                  + " 1.0")
          .containsPattern(
              "operator_sdk_controllers_execution_reconcile_seconds_count\\{.*\"node\"")
          .containsPattern(
              "operator_sdk_controllers_execution_reconcile_seconds_count\\{.*\"policy\"")
          .containsPattern("operator_sdk_reconciliations_started_total\\{.*\"Node\".* [1-9]")
          .containsPattern(
              "operator_sdk_reconciliations_started_total\\{.*\"TokenBucketPolicy\".* [1-9]")
          .contains("operator_sdk_reconciliations_success_total")
          .contains("operator_sdk_reconciliations_queue_size_node")
          .contains("operator_sdk_reconciliations_queue_size_policy")
          .contains("operator_sdk_reconciliations_executions_node")
          .contains("operator_sdk_reconciliations_executions_policy");

      assertThat(namesInAlertsAndDashboard())
          .hasSizeGreaterThan(4)
          .allSatisfy(name -> assertThat(get(operator, "/q/metrics")).contains(name));

      assertThat(agents.writes()).isPositive();
      for (String line : operator.log().lines().toList()) {
        assertThat(JSON.readTree(line).path("message").isTextual()).as(line).isTrue();
      }
    }
  }

  private static Set<String> namesInAlertsAndDashboard() throws IOException {
    Set<String> names = new HashSet<>(Alerts.metricsOf("tokenbucket"));
    names.addAll(Dashboards.metricsOf(Dashboards.CLUSTER));
    // which is there from the first failure on
    names.remove("operator_sdk_reconciliations_failed_total");
    return names;
  }

  private String get(Daemon operator, String path) {
    Matcher port = PORT.matcher(operator.log());
    assertThat(port.find()).isTrue();
    URI uri = URI.create("http://127.0.0.1:" + port.group(1) + path);
    try {
      return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    } catch (IOException e) {
      throw new StepFailedException("asking " + uri + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    }
  }
}
