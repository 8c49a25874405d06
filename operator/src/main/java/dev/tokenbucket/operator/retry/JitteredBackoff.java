// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.retry;

import io.javaoperatorsdk.operator.processing.retry.Retry;
import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.time.Duration;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * Retries forever, so that an API server that is away for an hour loses no update. The delay
 * doubles from {@code first} up to {@code most}. Each delay is drawn from its upper half, so that
 * requests that failed together do not return together.
 *
 * @param random draws from 0 up to 1
 */
public record JitteredBackoff(Duration first, Duration most, DoubleSupplier random)
    implements Retry {

  @Override
  public RetryExecution initExecution() {
    return new Execution();
  }

  private final class Execution implements RetryExecution {
    private int attempts;
    private long delay = first.toMillis();

    @Override
    public Optional<Long> nextDelay() {
      attempts++;
      long now = delay;
      delay = Math.min(most.toMillis(), delay * 2);
      return Optional.of(now / 2 + (long) (random.getAsDouble() * (now - now / 2)));
    }

    @Override
    public int getAttemptCount() {
      return attempts;
    }

    @Override
    public boolean isLastAttempt() {
      return false;
    }
  }
}
