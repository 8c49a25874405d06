// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Prometheus' own checker reads the alerts, and makes each one fire and end on series written for
 * it.
 */
class AlertsTest {
  private static final YAMLMapper YAML = new YAMLMapper();

  @Test
  void eachAlertFiresAndEnds(@TempDir Path work) throws IOException {
    Path rules = Files.copy(Alerts.file(), work.resolve("alerts.yaml"));
    Path cases = work.resolve("alerts-test.yaml");
    try (InputStream in =
        Objects.requireNonNull(AlertsTest.class.getResourceAsStream("/alerts/alerts-test.yaml"))) {
      Files.copy(in, cases);
    }
    assertThat(Commands.run("promtool", "check", "rules", rules.toString())).contains("SUCCESS");
    assertThat(Commands.run("promtool", "test", "rules", cases.toString())).contains("SUCCESS");

    List<String> endings = endings(YAML.readTree(cases.toFile()).path("tests"));
    assertThat(YAML.readTree(rules.toFile()).findValuesAsText("alert"))
        .isNotEmpty()
        .as("alerts with a case in which they fire, and later do not")
        .allSatisfy(alert -> assertThat(endings).contains(alert));
  }

  /** The alerts that fire at one time of a case and do not at a later one. */
  private static List<String> endings(JsonNode tests) {
    List<String> ended = new ArrayList<>();
    for (JsonNode test : tests) {
      List<String> firing = new ArrayList<>();
      for (JsonNode at : test.path("alert_rule_test")) {
        String alert = at.path("alertname").asText();
        if (!at.path("exp_alerts").isEmpty()) {
          firing.add(alert);
        } else if (firing.contains(alert)) {
          ended.add(alert);
        }
      }
    }
    return ended;
  }
}
