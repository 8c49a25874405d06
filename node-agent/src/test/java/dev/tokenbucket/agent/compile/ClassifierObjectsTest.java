// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClassifierObjectsTest {
  private static final String REAL_PATH = System.getenv().getOrDefault("PATH", "");

  @TempDir Path work = Path.of("");

  private ClassifierObjects objects(String searchPath) {
    return new ClassifierObjects(work.resolve("objects"), searchPath, Duration.ofMinutes(1));
  }

  /** A folder in which this script stands for clang. Each run adds a line to {@code runs}. */
  private String clang(String script) throws IOException {
    Path folder = Files.createDirectories(work.resolve("bin"));
    Path clang = folder.resolve("clang");
    Files.writeString(clang, "#!/bin/sh\necho run >> " + work.resolve("runs") + "\n" + script);
    assertThat(clang.toFile().setExecutable(true)).isTrue();
    return folder.toString();
  }

  private List<String> runs() throws IOException {
    Path runs = work.resolve("runs");
    return Files.exists(runs) ? Files.readAllLines(runs) : List.of();
  }

  /** The build and the agent use the same flags and no path of where they work. */
  @Test
  void whatClangCompilesHereIsByteForByteWhatTheBuildHasCompiled() throws IOException {
    Path prebuilt = objects("").of(CompileMode.NEVER);
    Path compiled = objects(REAL_PATH).of(CompileMode.ALWAYS);

    assertThat(compiled).isNotEqualTo(prebuilt);
    for (String object : ClassifierResources.OBJECTS) {
      assertThat(compiled.resolve(object)).hasSameBinaryContentAs(prebuilt.resolve(object));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"NEVER", "AUTO"})
  void withoutClangTheObjectsOfTheJarAreUnpackedOnce(CompileMode mode) throws IOException {
    Path folder = objects(work.toString()).of(mode);
    FileTime unpacked = FileTime.from(Instant.ofEpochSecond(1));
    Files.setLastModifiedTime(folder.resolve("classifier.bpf.o"), unpacked);

    assertThat(objects(work.toString()).of(mode)).isEqualTo(folder);
    assertThat(Files.getLastModifiedTime(folder.resolve("classifier.bpf.o"))).isEqualTo(unpacked);
    assertThat(folder.getFileName().toString()).matches("[0-9a-f]{16}");
  }

  @Test
  void anUnpackingThatWasCutShortIsDoneAgain() throws IOException {
    Path folder = objects("").of(CompileMode.NEVER);
    Files.delete(folder.resolve("complete"));
    Files.writeString(folder.resolve("classifier.bpf.o"), "half");

    assertThat(objects("").of(CompileMode.NEVER)).isEqualTo(folder);
    assertThat(Files.size(folder.resolve("classifier.bpf.o"))).isGreaterThan(1_000);
  }

  @Test
  void neverDoesNotRunAClangThatIsThere() throws IOException {
    objects(clang("exit 1")).of(CompileMode.NEVER);
    assertThat(runs()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"ALWAYS", "AUTO"})
  void clangIsRunOnce(CompileMode mode) throws IOException {
    String path = clang("touch classifier.bpf.o parameters.bpf.o sweep.bpf.o");
    Path folder = objects(path).of(mode);

    assertThat(objects(path).of(mode)).isEqualTo(folder);
    assertThat(runs()).hasSize(1);
  }

  @Test
  void anotherClangCompilesAnew() throws IOException {
    Path folder = objects(clang("exit 0")).of(CompileMode.ALWAYS);
    Path other = objects(clang("exit 0 # newer")).of(CompileMode.ALWAYS);

    assertThat(other).isNotEqualTo(folder);
    assertThat(runs()).hasSize(2);
  }

  @Test
  void alwaysWithoutClangSaysWhatToDo() {
    assertThatThrownBy(() -> objects(work.toString()).of(CompileMode.ALWAYS))
        .hasMessageContaining("clang is not on the PATH \"" + work + "\"")
        .hasMessageContaining("apt install clang")
        .hasMessageContaining("--compile=never");
  }

  @Test
  void aClangThatFailsIsAnErrorWithItsOutput() throws IOException {
    ClassifierObjects failing = objects(clang("echo no such header >&2; exit 3"));

    assertThatThrownBy(() -> failing.of(CompileMode.ALWAYS))
        .hasMessageContaining("ended with 3:\nno such header");
    assertThat(failing.of(CompileMode.AUTO)).isEqualTo(failing.of(CompileMode.NEVER));
  }

  @Test
  @Timeout(value = 30, unit = TimeUnit.SECONDS)
  void aClangThatHangsIsKilledAndAutoGoesOnWithout() throws IOException {
    ClassifierObjects hung =
        new ClassifierObjects(
            work.resolve("objects"), clang("sleep 300 & wait"), Duration.ofSeconds(1));

    assertThatThrownBy(() -> hung.of(CompileMode.ALWAYS))
        .hasMessageContaining("took over 1 s and was killed");
    assertThat(hung.of(CompileMode.AUTO)).isEqualTo(hung.of(CompileMode.NEVER));
  }
}
