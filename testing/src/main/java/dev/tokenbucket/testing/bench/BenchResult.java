// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** A run of the bench, in the form of its JSON file. */
record BenchResult(
    Machine machine, @Nullable MicroResult micro, @Nullable EndToEndResult endToEnd) {
  /** The machine and the settings of a measurement. */
  record Machine(
      String kernel,
      String processor,
      int cpus,
      String clockSource,
      Instant at,
      int rounds,
      long millisEach) {
    private static final Path RELEASE = Path.of("/proc/sys/kernel/osrelease");
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
    private static final Path CLOCK =
        Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource");

    static Machine here(int rounds, long millisEach) {
      return new Machine(
          read(RELEASE),
          read(PROCESSORS)
              .lines()
              .filter(line -> line.startsWith("model name"))
              .map(line -> line.replaceFirst(".*: *", ""))
              .findFirst()
              .orElse("unknown processor"),
          Runtime.getRuntime().availableProcessors(),
          Files.exists(CLOCK) ? read(CLOCK) : "unknown",
          Instant.now().truncatedTo(ChronoUnit.SECONDS),
          rounds,
          millisEach);
    }

    private static String read(Path file) {
      try {
        return Files.readString(file, StandardCharsets.UTF_8).strip();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String text() {
      return "Measured %s on kernel %s, %d CPUs (%s), clock source %s; %d interleaved rounds of about %d ms each."
          .formatted(at, kernel, cpus, processor, clockSource, rounds, millisEach);
    }
  }
}
