// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.retry;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Holds a refusal back for as long as the API server asks for in {@code Retry-After}, and up to a
 * quarter longer. The client retries when it sees the refusal. The client reads the header too, but
 * waits its own interval.
 */
public final class RetryAfter implements Interceptor {
  /** A request's timeout, which includes this wait, is twice as long. */
  private static final Duration MOST = Duration.ofSeconds(10);

  private static final int TOO_MANY_REQUESTS = 429;
  private static final int SERVER_ERROR = 500;

  private final DoubleSupplier random;

  /**
   * @param random draws from 0 up to 1
   */
  public RetryAfter(DoubleSupplier random) {
    this.random = random;
  }

  @Override
  public CompletableFuture<Boolean> afterFailure(
      BasicBuilder builder, HttpResponse<?> response, RequestTags tags) {
    CompletableFuture<Boolean> noOtherRequest = new CompletableFuture<>();
    return noOtherRequest.completeOnTimeout(
        false, millis(response.code(), response.header("Retry-After")), TimeUnit.MILLISECONDS);
  }

  /** The wait in ms; 0 if the API server asks for none. */
  long millis(int code, @Nullable String header) {
    boolean retried = code == TOO_MANY_REQUESTS || code >= SERVER_ERROR;
    if (!retried || header == null) {
      return 0;
    }
    try {
      int seconds = Math.max(0, Integer.parseInt(header.strip()));
      long millis = Math.round(seconds * 1000.0 * (1 + random.getAsDouble() / 4));
      return Math.min(millis, MOST.toMillis());
    } catch (NumberFormatException e) {
      return 0; // an HTTP date, which no API server sends
    }
  }
}
