// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import dev.tokenbucket.agent.log.Reason;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Compiles the classifier's sources with clang. The result is cached under a hash of sources, flags
 * and compiler, so that clang runs only once per combination.
 */
public final class ClassifierCompiler {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final String OUTPUT = "clang.log";

  private final Path cache;
  private final String searchPath;
  private final Duration timeout;

  /**
   * Uses the clang on the PATH.
   *
   * @param cache a folder for sources and objects, created if missing
   */
  public ClassifierCompiler(Path cache) {
    this(cache, System.getenv().getOrDefault("PATH", ""), TIMEOUT);
  }

  /**
   * @param searchPath the folders, separated by colons, in which clang is searched
   * @param timeout the time after which a running clang is killed
   */
  ClassifierCompiler(Path cache, String searchPath, Duration timeout) {
    this.cache = cache;
    this.searchPath = searchPath;
    this.timeout = timeout;
  }

  /** The compiler, if there is one. */
  Optional<Path> clang() {
    return Stream.of(searchPath.split(File.pathSeparator, -1))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder).resolve("clang"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * The folder that holds one object per program, such as {@code classifier.bpf.o}. Its name is the
   * hash, so equal names mean equal programs.
   *
   * @param defines macros to define
   * @throws UncheckedIOException if there is no clang, or if clang fails or takes too long
   */
  public Path compile(List<String> defines) {
    try {
      Path clang =
          clang()
              .orElseThrow(
                  () ->
                      new IOException(
                          "clang is not on the PATH \""
                              + searchPath
                              + "\": install clang (apt install clang libbpf-dev), or use the"
                              + " objects built with the agent (--compile=never)"));
      String hash =
          ClassifierResources.hash(ClassifierResources.SOURCES, identity(clang) + defines);
      return ObjectFolder.of(cache, hash, folder -> compile(clang, defines, folder));
    } catch (IOException e) {
      throw new UncheckedIOException("compiling the classifier failed: " + Reason.of(e), e);
    }
  }

  /**
   * Identifies the compiler without running it, because running clang would be the slowest step of
   * a start.
   */
  private static String identity(Path clang) throws IOException {
    Path real = clang.toRealPath();
    BasicFileAttributes file = Files.readAttributes(real, BasicFileAttributes.class);
    return real + " " + file.size() + " " + file.lastModifiedTime() + " ";
  }

  private void compile(Path clang, List<String> defines, Path folder) throws IOException {
    ClassifierResources.copy(ClassifierResources.SOURCES, folder);
    List<String> command = new ArrayList<>();
    command.add(clang.toString());
    command.add("@" + ClassifierResources.FLAGS);
    defines.forEach(define -> command.add("-D" + define));
    command.add("-c");
    ClassifierResources.PROGRAMS.forEach(program -> command.add(program + ".c"));
    run(command, folder);
  }

  /**
   * Writes clang's output to a file. Reading it from a pipe would block for as long as clang runs,
   * and the timeout would have no effect.
   */
  private void run(List<String> command, Path folder) throws IOException {
    Path output = folder.resolve(OUTPUT);
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException(
            "%s took over %d s and was killed".formatted(command.get(0), timeout.toSeconds()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    if (process.exitValue() != 0) {
      throw new IOException(
          "%s ended with %d:\n%s"
              .formatted(
                  String.join(" ", command),
                  process.exitValue(),
                  new String(Files.readAllBytes(output), StandardCharsets.UTF_8).strip()));
    }
  }
}
