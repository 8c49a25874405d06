// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The boot of this host. */
public final class Boot {
  private static final Path ID = Path.of("/proc/sys/kernel/random/boot_id");

  private Boot() {}

  /** The kernel's random id of this boot, a UUID; null if it cannot be read. */
  public static @Nullable String id() {
    try {
      return Files.readString(ID).strip();
    } catch (IOException e) {
      return null;
    }
  }
}
