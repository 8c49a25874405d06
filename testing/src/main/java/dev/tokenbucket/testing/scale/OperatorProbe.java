// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks the operator for its metrics, on the port that its log names. */
final class OperatorProbe {
  private static final Pattern PORT = Pattern.compile("Listening on: http://127.0.0.1:(\\d+)");

  private final HttpClient http = HttpClient.newHttpClient();

  /** Whether the operator leads, and no reconciliation waits or runs. */
  boolean steady(Daemon operator) {
    Exposition metrics = metrics(operator);
    return metrics.sum("tokenbucket_operator_leader", any -> true) == 1
        && metrics.samples().stream()
                .filter(
                    each ->
                        each.name().startsWith("operator_sdk_reconciliations_queue_size")
                            || each.name().startsWith("operator_sdk_reconciliations_executions_"))
                .mapToDouble(Exposition.Sample::value)
                .sum()
            == 0;
  }

  /** The number of reconciliations since the operator's start. */
  double reconciliations(Daemon operator) {
    return metrics(operator).sum("operator_sdk_reconciliations_started_total", any -> true);
  }

  private Exposition metrics(Daemon operator) {
    Matcher matcher = PORT.matcher(operator.log());
    if (!matcher.find()) {
      return Exposition.of("");
    }
    URI uri = URI.create("http://127.0.0.1:" + matcher.group(1) + "/q/metrics");
    try {
      return Exposition.of(
          http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
              .body());
    } catch (IOException e) {
      throw new StepFailedException("asking " + uri + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted", e);
    }
  }
}
