// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The chart's copies, its README and the plain manifests equal the output of {@code make
 * manifests}.
 */
class ChartStalenessTest {
  private final Chart chart = Chart.withHelm();

  @Test
  void whatIsMadeIsWhatIsCommitted() throws IOException {
    for (Map.Entry<Path, ChartFiles.Made> made : ChartFiles.made(chart).entrySet()) {
      String text = made.getValue().text();
      if (Boolean.getBoolean("manifests.update")) {
        Files.writeString(made.getKey(), text);
      }
      assertThat(Files.readString(made.getKey()))
          .as("%s is stale: run make manifests", made.getKey())
          .isEqualTo(text);
    }
  }

  @Test
  void everyValueIsDescribed() throws IOException {
    assertThat(ValuesTable.rows(Files.readString(Chart.FOLDER.resolve("values.yaml"))))
        .isNotEmpty()
        .allSatisfy(row -> assertThat(row.text()).as(row.key()).endsWith("."));
  }

  @Test
  void theChartHasTheVersionOfTheBuild() throws IOException {
    Matcher project =
        Pattern.compile("(?s)<artifactId>tokenbucket</artifactId>\\s*<version>([^<]+)<")
            .matcher(Files.readString(Commands.repository().resolve("pom.xml")));
    assertThat(project.find()).isTrue();
    Map<?, ?> described =
        Serialization.unmarshal(Files.readString(Chart.FOLDER.resolve("Chart.yaml")), Map.class);

    assertThat(described.get("version")).isEqualTo(project.group(1));
    assertThat(described.get("appVersion")).isEqualTo(project.group(1));
  }
}
