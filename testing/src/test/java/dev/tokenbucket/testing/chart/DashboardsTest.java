// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The dashboards as Prometheus reads them: each expression parses, and on two nodes with known
 * traffic the panels show what is known. That the metrics exist is for the tests of operator and
 * agent to say.
 */
class DashboardsTest {
  private static final YAMLMapper YAML = new YAMLMapper();

  private static final String NODE_WIDE =
      "policy=\"all\",interface=\"eth0\",direction=\"Ingress\",instance=\"%s\"";

  private static final String AUDITED =
      "policy=\"audited\",interface=\"eth0\",direction=\"Ingress\",instance=\"n1\"";

  @TempDir Path work;

  @Test
  void promtoolParsesEachExpressionAndGrafanasIdsAreUnique() throws IOException {
    assertThat(Dashboards.names()).containsExactlyInAnyOrder(Dashboards.CLUSTER, Dashboards.LIMITS);
    List<Map<String, String>> rules = new ArrayList<>();
    Set<String> uids = new HashSet<>();
    for (String name : Dashboards.names()) {
      for (String expression : Dashboards.expressions(name)) {
        rules.add(Map.of("record", "r" + rules.size(), "expr", expression));
      }
      JsonNode dashboard = Dashboards.read(name);
      uids.add(dashboard.path("uid").asText());
      assertThat(dashboard.path("panels").findValuesAsText("id")).as(name).doesNotHaveDuplicates();
    }
    assertThat(uids).hasSize(2);
    Path file = work.resolve("expressions.yaml");
    YAML.writeValue(
        file.toFile(), Map.of("groups", List.of(Map.of("name", "dashboards", "rules", rules))));
    assertThat(Commands.run("promtool", "check", "rules", file.toString()))
        .contains("SUCCESS: " + rules.size() + " rules found");
  }

  /**
   * Per second: 100 packets/s granted to each of two nodes, 80 and 100 conform, and 0 and 300
   * exceed; a policy in Audit lets 5 conform and 15 exceed.
   */
  @Test
  void thePanelsShowWhatIsKnown() throws IOException {
    List<Map<String, String>> series = new ArrayList<>();
    for (String node : List.of("n1", "n2")) {
      String at = NODE_WIDE.formatted(node);
      series.add(constant("tokenbucket_policy_rate{" + at + ",unit=\"Packets\"}", 100));
      series.add(constant("tokenbucket_policy_info{" + at + ",per=\"Node\",mode=\"Enforce\"}", 1));
      boolean flooded = node.equals("n2");
      series.add(packets(at, "conform", flooded ? 100 : 80));
      series.add(packets(at, "exceed", flooded ? 300 : 0));
    }
    series.add(
        constant("tokenbucket_policy_info{" + AUDITED + ",per=\"SourceIP\",mode=\"Audit\"}", 1));
    series.add(packets(AUDITED, "conform", 5));
    series.add(packets(AUDITED, "exceed", 15));
    series.add(constant("tokenbucket_buckets_used{policy=\"audited\",instance=\"n1\"}", 16));
    series.add(constant("tokenbucket_buckets_capacity{policy=\"audited\",instance=\"n1\"}", 64));

    List<Map<String, Object>> cases = new ArrayList<>();
    cases.addAll(shows("Nodes that limit now", Map.of("{}", 1.0)));
    cases.addAll(shows("Policies that limit now", Map.of("{}", 1.0)));
    cases.addAll(shows("Exceeding share", Map.of("{}", 315.0 / 500)));
    cases.addAll(
        shows(
            "Packets",
            Map.of("{policy=\"all\"}", 480.0, "{policy=\"audited\"}", 20.0),
            Map.of("{policy=\"all\"}", 180.0, "{policy=\"audited\"}", 5.0),
            Map.of("{policy=\"all\"}", 300.0, "{policy=\"audited\"}", 15.0),
            Map.of("{policy=\"all\"}", 200.0)));
    cases.addAll(
        shows(
            "Share of the rate used",
            Map.of(
                "{policy=\"all\",instance=\"n1\"}", 0.8, "{policy=\"all\",instance=\"n2\"}", 1.0),
            Map.of()));
    cases.addAll(
        shows(
            "Exceeding packets, Audit beside Enforce",
            Map.of(
                "{policy=\"all\",mode=\"Enforce\"}", 300.0,
                "{policy=\"audited\",mode=\"Audit\"}", 15.0)));
    cases.addAll(shows("Table fill", Map.of("{policy=\"audited\",instance=\"n1\"}", 0.25)));
    Path file = work.resolve("panels.yaml");
    YAML.writeValue(
        file.toFile(),
        Map.of(
            "rule_files",
            List.of(),
            "tests",
            List.of(Map.of("interval", "1m", "input_series", series, "promql_expr_test", cases))));
    assertThat(Commands.run("promtool", "test", "rules", file.toString())).contains("SUCCESS");
  }

  private static Map<String, String> constant(String name, int value) {
    return Map.of("series", name, "values", value + "x10");
  }

  private static Map<String, String> packets(String at, String verdict, int perSecond) {
    return Map.of(
        "series",
        "tokenbucket_policy_packets_total{" + at + ",verdict=\"" + verdict + "\"}",
        "values",
        "0+" + perSecond * 60 + "x10");
  }

  /** A case per expression of the panel, each with the samples that it must show. */
  @SafeVarargs
  private static List<Map<String, Object>> shows(String panel, Map<String, Double>... samples)
      throws IOException {
    List<String> expressions = Dashboards.expressions(Dashboards.LIMITS, panel);
    assertThat(expressions).as(panel).hasSameSizeAs(samples);
    List<Map<String, Object>> cases = new ArrayList<>();
    for (int i = 0; i < samples.length; i++) {
      cases.add(
          Map.of(
              "expr",
              expressions.get(i),
              "eval_time",
              "8m",
              "exp_samples",
              samples[i].entrySet().stream()
                  .map(each -> Map.of("labels", each.getKey(), "value", each.getValue()))
                  .toList()));
    }
    return cases;
  }
}
