// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.drain;

import dev.tokenbucket.operator.OperatorClient;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;

/** The command: reads its environment, drains, and reports the outcome. */
public final class DrainCommand {
  /** Every policy is gone, and every node confirmed it. */
  static final int DRAINED = 0;

  /** The drain could not be done. */
  static final int FAILED = 1;

  /** Every policy is gone, but not every node confirmed it. */
  static final int NOT_AWAITED = 2;

  private static final String TIMEOUT = "TOKENBUCKET_DRAIN_TIMEOUT";
  private static final Duration LONGEST = Duration.ofHours(24);

  private DrainCommand() {}

  /** Drains; the result is the process's exit code. */
  public static int run(Map<String, String> environment, PrintStream out) {
    try {
      Duration timeout = timeout(environment.getOrDefault(TIMEOUT, "2m"));
      try (KubernetesClient client =
          OperatorClient.builder(OperatorClient.config(environment)).build()) {
        return new Drain(client, out::println).run(timeout) ? DRAINED : NOT_AWAITED;
      }
    } catch (IllegalArgumentException | UncheckedIOException | KubernetesClientException e) {
      out.println("drain failed: " + e.getMessage());
      return FAILED;
    }
  }

  /** Reads a time such as 90s, 2m or 1h. */
  static Duration timeout(String text) {
    try {
      Duration timeout = Duration.parse("PT" + text.strip().toUpperCase(Locale.ROOT));
      if (!timeout.isNegative() && timeout.compareTo(LONGEST) <= 0) {
        return timeout;
      }
    } catch (DateTimeParseException e) {
      // reported below
    }
    throw new IllegalArgumentException(
        TIMEOUT + ": \"" + text + "\" must be a duration of at most 24 h, such as 90s or 2m");
  }
}
