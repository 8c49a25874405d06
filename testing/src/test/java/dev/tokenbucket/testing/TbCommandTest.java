// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.BuildVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/tb} as a script: what it starts, and what it says where it can't. */
class TbCommandTest {
  private static final Path BIN = Commands.repository().resolve("bin");

  @TempDir private Path folder;

  @Test
  void saysTheProjectsVersionAndNothingElse() {
    assertThat(Commands.run(BIN.resolve("tb").toString(), "--version"))
        .isEqualTo("tb " + BuildVersion.current() + "\n");
  }

  @Test
  void saysWhatToDoWhereNothingWasBuilt() throws IOException {
    Path copy = Files.createDirectory(folder.resolve("bin")).resolve("tb");
    Files.copy(BIN.resolve("tb"), copy, StandardCopyOption.COPY_ATTRIBUTES);

    assertThatThrownBy(() -> Commands.run(copy.toString(), "status"))
        .hasMessageContaining("tb: not built; run: make -C " + folder.toRealPath() + " build");
  }

  @Test
  void namesTheJvmThatIsMissing() {
    assertThatThrownBy(
            () ->
                Commands.run(
                    "env", "JAVA_HOME=" + folder, BIN.resolve("tb").toString(), "--version"))
        .hasMessageContaining("no " + folder + "/bin/java; install a JRE from 17 on");
  }

  @Test
  void worksByALinkAndWithArgumentsThatLookLikeOptionFiles() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("tb"), BIN.resolve("tb"));

    assertThatThrownBy(() -> Commands.run(link.toString(), "status", "@nothing"))
        .hasMessageContaining("Unmatched argument at index 1: '@nothing'");
  }
}
