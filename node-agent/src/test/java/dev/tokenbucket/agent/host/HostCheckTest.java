// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.host.HostCheck.Finding;
import dev.tokenbucket.agent.host.HostCheck.Verdict;
import dev.tokenbucket.agent.kernel.KernelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HostCheckTest {
  private static final int EPERM = 1;

  @TempDir Path root = Path.of("");

  private Finding finding(String name, String release) {
    HostCheck check =
        new HostCheck(
            root,
            release,
            "/usr/bin",
            root,
            () -> {
              throw new KernelException("asking", EPERM);
            });
    return check.findings().stream()
        .filter(each -> each.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "5.15.0-91-generic, SUPPORTED",
    "6.1.0, SUPPORTED",
    "10.0, SUPPORTED",
    "5.14.21, UNSUPPORTED",
    "4.19.0, UNSUPPORTED",
    "custom, UNKNOWN"
  })
  void kernelsFromFiveFifteenOnAreSupported(String release, Verdict verdict) {
    assertThat(finding("kernel", release).verdict()).isEqualTo(verdict);
  }

  @Test
  void aHostThatLacksAllSaysWhatToDoOfEach() {
    assertThat(finding("BTF", "6.1").reason()).contains("CONFIG_DEBUG_INFO_BTF=y");
    assertThat(finding("bpffs", "6.1").reason()).contains("mount -t bpf -o mode=0700 bpf " + root);
    assertThat(finding("capabilities", "6.1").reason()).contains("CAP_BPF is missing");
    assertThat(finding("hook", "6.1").verdict()).isEqualTo(Verdict.UNKNOWN);
    assertThat(finding("hook", "6.1").reason()).contains("EPERM").contains("run as root");
    assertThat(finding("JIT", "6.1").verdict()).isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void aSwitchedOffJitIsUnsupported() throws IOException {
    Files.createDirectories(root.resolve("proc/sys/net/core"));
    Files.writeString(root.resolve("proc/sys/net/core/bpf_jit_enable"), "0\n");
    assertThat(finding("JIT", "6.1").verdict()).isEqualTo(Verdict.UNSUPPORTED);
    assertThat(finding("JIT", "6.1").reason()).contains("sysctl -w net.core.bpf_jit_enable=1");
  }
}
