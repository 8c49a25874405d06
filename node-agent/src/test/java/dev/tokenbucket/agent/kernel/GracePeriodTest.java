// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GracePeriodTest {
  private static final int EPERM = 1;
  private static final int EINVAL = 22;
  private static final int ENOSYS = 38;

  private final NativeCalls calls = new NativeCalls();

  @BeforeAll
  static void needsRoot() {
    assumeTrue("root".equals(System.getProperty("user.name")) || System.getenv("CI") != null);
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  /** Simulates nohz_full, where membarrier(2) always answers EINVAL. */
  @ParameterizedTest
  @ValueSource(ints = {EINVAL, ENOSYS})
  void whereMembarrierIsRefusedItIsWaitedByMaps(int error) throws IOException {
    GracePeriod period = new GracePeriod(calls, () -> error);
    period.await();
    long before = descriptors();
    for (int i = 0; i < 20; i++) {
      period.await();
    }
    assertThat(descriptors()).isEqualTo(before);
  }

  @Test
  void anyOtherRefusalIsAnError() {
    assertThatThrownBy(() -> new GracePeriod(calls, () -> EPERM).await())
        .hasMessageContaining("membarrier failed: EPERM");
  }

  @Test
  void membarrierWorksHere() {
    assertThatCode(() -> new GracePeriod(calls).await()).doesNotThrowAnyException();
  }
}
