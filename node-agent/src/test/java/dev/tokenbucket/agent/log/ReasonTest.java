// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.KernelException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ReasonTest {
  private static Throwable missing() {
    return new NoSuchFileException("/sys/fs/bpf/a");
  }

  static Stream<Arguments> reasons() {
    return Stream.of(
        Arguments.of(missing(), "/sys/fs/bpf/a: no such file or folder"),
        Arguments.of(new AccessDeniedException("/a"), "/a: permission denied"),
        Arguments.of(new FileSystemException("/a", null, "File too large"), "/a: File too large"),
        Arguments.of(
            new UncheckedIOException("making /a/b", new NoSuchFileException("/a")),
            "making /a/b: /a: no such file or folder"),
        Arguments.of(
            new UncheckedIOException(new IOException("the disk is full")), "the disk is full"),
        Arguments.of(
            new IllegalStateException("eth0 is gone", missing()),
            "eth0 is gone: /sys/fs/bpf/a: no such file or folder"),
        Arguments.of(
            new UncheckedIOException(
                "writing: the disk is full", new IOException("the disk is full")),
            "writing: the disk is full"),
        Arguments.of(new ConnectException("refused"), "ConnectException: refused"),
        Arguments.of(new NullPointerException(), "NullPointerException"),
        Arguments.of(
            new KernelException("a load", 4007),
            "a load failed: LIBBPF_ERRNO__VERIFY (the kernel's verifier refuses the program)"),
        Arguments.of(
            new KernelException("a load", 524),
            "a load failed: ENOTSUPP (the kernel does not support this)"),
        Arguments.of(
            new IndexOutOfBoundsException("Index 3 out of bounds for length 3"),
            "IndexOutOfBoundsException: Index 3 out of bounds for length 3"));
  }

  @ParameterizedTest
  @MethodSource("reasons")
  void aReasonSaysWhatTheClassAndTheCausesTell(Throwable thrown, String reason) {
    assertThat(Reason.of(thrown)).isEqualTo(reason);
  }
}
