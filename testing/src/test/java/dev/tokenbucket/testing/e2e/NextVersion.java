// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.StepFailedException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A version after this one: a copy of this checkout with another version number and a classifier
 * with other instructions, built like any version.
 *
 * @param folder the copy's root
 */
record NextVersion(Path folder) {
  static final String VERSION = "0.1.1-next";

  private static final Duration BUILD = Duration.ofMinutes(10);
  private static final Set<String> NOT_SOURCE = Set.of("target", ".git", ".flattened-pom.xml");
  private static final String BEGIN_OF_PROGRAM = "int tokenbucket(struct __sk_buff *skb)\n{\n";

  /** Copies this checkout into a folder, changes the copy and builds it. */
  static NextVersion build(Path folder) {
    try {
      Path checkout = Commands.repository();
      copy(checkout, folder);
      String version = Files.readString(checkout.resolve("pom.xml"));
      version = version.substring(version.indexOf("<version>") + 9, version.indexOf("</version>"));
      for (String module : List.of(".", "crds", "bpf", "node-agent", "operator", "testing")) {
        replace(folder.resolve(module).resolve("pom.xml"), version, VERSION);
      }
      replace(folder.resolve("deploy/helm/tokenbucket/Chart.yaml"), version, VERSION);
      replace(
          folder.resolve("bpf/classifier.bpf.c"),
          BEGIN_OF_PROGRAM,
          BEGIN_OF_PROGRAM + "\tasm volatile(\"r0 = 2\" ::: \"r0\");\n");
      NextVersion next = new NextVersion(folder);
      next.run("mvn", "-B", "-ntp", "-q", "package", "-DskipTests", "-Dspotless.check.skip=true");
      next.run("deploy/images/build.sh", next.images().toString());
      return next;
    } catch (IOException e) {
      throw new StepFailedException("building the next version: " + e.getMessage(), e);
    }
  }

  Path chart() {
    return folder.resolve("deploy/helm/tokenbucket");
  }

  List<Path> archives() {
    return Stream.of("operator.tar", "agent.tar").map(images()::resolve).toList();
  }

  private Path images() {
    return folder.resolve("testing/target/images");
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path each, BasicFileAttributes attributes)
              throws IOException {
            if (NOT_SOURCE.contains(each.getFileName().toString())) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(each)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path each, BasicFileAttributes attributes)
              throws IOException {
            if (attributes.isRegularFile()) {
              Files.copy(each, to.resolve(from.relativize(each)));
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }

  private static void replace(Path file, String before, String after) throws IOException {
    String text = Files.readString(file);
    if (!text.contains(before)) {
      throw new StepFailedException("%s has no \"%s\"".formatted(file, before.strip()), null);
    }
    Files.writeString(file, text.replace(before, after));
  }

  private void run(String... command) throws IOException {
    Path log = folder.resolve("build.log");
    Process build =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    try {
      if (!build.waitFor(BUILD.toSeconds(), TimeUnit.SECONDS)) {
        build.destroyForcibly();
        throw new StepFailedException(
            "%s takes longer than %s; see %s".formatted(command[0], BUILD, log), null);
      }
    } catch (InterruptedException e) {
      build.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted in " + command[0], e);
    }
    if (build.exitValue() != 0) {
      throw new StepFailedException("%s failed; see %s".formatted(command[0], log), null);
    }
  }
}
