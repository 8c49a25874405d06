// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the output goes to a terminal. */
final class Terminal {
  private Terminal() {}

  static boolean isStandardOutput() {
    return is(1);
  }

  static boolean isStandardError() {
    return is(2);
  }

  private static boolean is(int descriptor) {
    try {
      String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
