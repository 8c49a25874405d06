// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The chart's Grafana dashboards. */
public final class Dashboards {
  /** About the cluster, from the operator's metrics. */
  public static final String CLUSTER = "tokenbucket.json";

  /** About the nodes' limits, from the agents' metrics. */
  public static final String LIMITS = "tokenbucket-limits.json";

  private static final Path FOLDER = Chart.FOLDER.resolve("files/dashboards");

  private Dashboards() {}

  /** The files' names. */
  static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  static JsonNode read(String name) throws IOException {
    return new ObjectMapper().readTree(FOLDER.resolve(name).toFile());
  }

  /** The metrics that a dashboard shows, those of its variables included. */
  public static Set<String> metricsOf(String name) throws IOException {
    return Alerts.metricsIn(Files.readString(FOLDER.resolve(name)));
  }

  /** A dashboard's expressions as Grafana sends them, with everything selected. */
  static List<String> expressions(String name) throws IOException {
    return read(name).path("panels").findValuesAsText("expr").stream()
        .map(Dashboards::withEverything)
        .toList();
  }

  /** The expressions of one panel, in its order. */
  static List<String> expressions(String name, String panel) throws IOException {
    for (JsonNode each : read(name).path("panels")) {
      if (each.path("title").asText().equals(panel)) {
        return each.findValuesAsText("expr").stream().map(Dashboards::withEverything).toList();
      }
    }
    throw new IllegalArgumentException(name + " has no panel " + panel);
  }

  private static String withEverything(String expression) {
    return expression
        .replace("$policy", ".*")
        .replace("$instance", ".*")
        .replace("$__rate_interval", "2m");
  }
}
