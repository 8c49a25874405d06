package dev.tokenbucket.testing.chart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Prometheus' own checker reads the alerts, and makes each one fire and end on series written for
 * it.
 */
class AlertsTest {
  @Test
  void alertsFireAndEndAsTheirCasesSay(@TempDir Path work) throws IOException {
    Path rules = Files.copy(Alerts.file(), work.resolve("alerts.yaml"));
    Path cases = work.resolve("alerts-test.yaml");
    try (InputStream in =
        Objects.requireNonNull(AlertsTest.class.getResourceAsStream("/alerts/alerts-test.yaml"))) {
      Files.copy(in, cases);
    }
    assertThat(Commands.run("promtool", "check", "rules", rules.toString())).contains("SUCCESS");
    assertThat(Commands.run("promtool", "test", "rules", cases.toString())).contains("SUCCESS");
    assertThat(List.of("TokenBucketNodesPending", "TokenBucketReconciliationsFail"))
        .as("alerts without a case")
        .containsExactlyElementsOf(
            Files.readAllLines(rules).stream()
                .filter(line -> line.contains("- alert: "))
                .map(line -> line.substring(line.indexOf(": ") + 2))
                .filter(alert -> !contains(cases, alert))
                .toList());
  }

  private static boolean contains(Path file, String text) {
    try {
      return Files.readString(file).contains("alertname: " + text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
