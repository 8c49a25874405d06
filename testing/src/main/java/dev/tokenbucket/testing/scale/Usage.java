// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The resources that a process has used, from /proc.
 *
 * @param cpuSeconds user and system time since its start
 * @param rssMegabytes its present memory, in units of 2^20 bytes
 * @param peakMegabytes its highest memory so far, in units of 2^20 bytes
 */
record Usage(double cpuSeconds, double rssMegabytes, double peakMegabytes) {
  private static final double TICKS = 100;
  private static final int USER_TICKS = 11;

  static Usage of(long pid) {
    Path proc = Path.of("/proc", String.valueOf(pid));
    try {
      String stat = Files.readString(proc.resolve("stat"));
      List<String> fields =
          List.of(stat.substring(stat.lastIndexOf(')') + 2).strip().split(" ", -1));
      double ticks =
          Double.parseDouble(fields.get(USER_TICKS))
              + Double.parseDouble(fields.get(USER_TICKS + 1));
      List<String> status = Files.readAllLines(proc.resolve("status"));
      return new Usage(ticks / TICKS, megabytes(status, "VmRSS:"), megabytes(status, "VmHWM:"));
    } catch (IOException e) {
      throw new StepFailedException("reading " + proc + ": " + e.getMessage(), e);
    }
  }

  private static double megabytes(List<String> status, String field) {
    return status.stream()
        .filter(line -> line.startsWith(field))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElseThrow();
  }
}
