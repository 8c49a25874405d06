// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The chart's alert rules for Prometheus. */
public final class Alerts {
  private static final Pattern METRIC = Pattern.compile("\\b(tokenbucket_|operator_sdk_)\\w+\\b");

  private Alerts() {}

  static Path file() {
    return Commands.repository().resolve("deploy/helm/tokenbucket/files/alerts.yaml");
  }

  /** The metrics that a group of alerts uses. */
  public static Set<String> metricsOf(String group) throws IOException {
    JsonNode groups = new YAMLMapper().readTree(file().toFile()).path("groups");
    for (JsonNode each : groups) {
      if (each.path("name").asText().equals(group)) {
        return metricsIn(String.join("\n", each.path("rules").findValuesAsText("expr")));
      }
    }
    throw new IllegalArgumentException("no group " + group + " in " + file());
  }

  /** The names of this project's metrics in a text. */
  public static Set<String> metricsIn(String text) {
    return METRIC.matcher(text).results().map(MatchResult::group).collect(Collectors.toSet());
  }
}
