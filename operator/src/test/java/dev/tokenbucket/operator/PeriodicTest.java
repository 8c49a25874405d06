// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PeriodicTest {
  @Test
  void aFailureIsNotTheLastTime() throws InterruptedException {
    CountDownLatch times = new CountDownLatch(3);
    try (Periodic periodic = new Periodic("test")) {
      periodic.start(
          () -> {
            times.countDown();
            throw new IllegalStateException("a test's fault");
          },
          Duration.ZERO,
          Duration.ofMillis(1));

      assertThat(times.await(10, TimeUnit.SECONDS)).isTrue();
    }
  }
}
