// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.CompileMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreflightTest {
  @TempDir Path root = Path.of("");

  private void host(String capabilities) throws IOException {
    Files.createDirectories(root.resolve("proc/self"));
    Files.writeString(root.resolve("proc/self/status"), "Name:\ttb\nCapEff:\t" + capabilities);
    Files.createDirectories(root.resolve("sys/kernel/btf"));
    Files.createFile(root.resolve("sys/kernel/btf/vmlinux"));
    Files.createDirectories(root.resolve("usr/bin"));
    Path clang = Files.createFile(root.resolve("usr/bin/clang"));
    assertThat(clang.toFile().setExecutable(true)).isTrue();
  }

  @Test
  void aHostWithEverythingHasNoFindings() throws IOException {
    host("000001ffffffffff");
    assertThat(Preflight.findings(root, "/usr/local/bin:/usr/bin", CompileMode.ALWAYS)).isEmpty();
  }

  @Test
  void aMissingCapabilityIsNamed() throws IOException {
    host("0000008000001000"); // CAP_BPF and CAP_NET_ADMIN
    assertThat(Preflight.findings(root, "/usr/bin", CompileMode.ALWAYS))
        .containsExactly("CAP_PERFMON is missing: run as root, or grant the process CAP_PERFMON");
  }

  @Test
  void aBareHostLacksBtfClangAndEveryCapability() {
    assertThat(Preflight.findings(root, "/usr/bin", CompileMode.ALWAYS))
        .hasSize(5)
        .anyMatch(finding -> finding.startsWith("no clang"));
  }

  @Test
  void clangIsMissedOnlyWhereItHasToCompile() {
    for (CompileMode mode : List.of(CompileMode.AUTO, CompileMode.NEVER)) {
      assertThat(Preflight.findings(root, "/usr/bin", mode)).hasSize(4).noneMatch(this::isOfClang);
    }
  }

  private boolean isOfClang(String finding) {
    return finding.contains("clang");
  }
}
