// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The classifier's objects: compiled on this host, or built with the agent. */
public final class ClassifierObjects {
  private static final Logger LOG = LoggerFactory.getLogger(ClassifierObjects.class);

  private final Path cache;
  private final ClassifierCompiler compiler;

  /**
   * Compiles, if at all, with the clang on the PATH.
   *
   * @param cache a folder for objects, created if missing
   */
  public ClassifierObjects(Path cache) {
    this(cache, new ClassifierCompiler(cache));
  }

  ClassifierObjects(Path cache, String searchPath, Duration timeout) {
    this(cache, new ClassifierCompiler(cache, searchPath, timeout));
  }

  private ClassifierObjects(Path cache, ClassifierCompiler compiler) {
    this.cache = cache;
    this.compiler = compiler;
  }

  /**
   * A folder with one object per program; equal names mean equal programs.
   *
   * @throws UncheckedIOException if this mode cannot provide the objects
   */
  public Path of(CompileMode mode) {
    return switch (mode) {
      case NEVER -> prebuilt();
      case ALWAYS -> compiled();
      case AUTO -> compiler.clang().isPresent() ? compiledOrPrebuilt() : prebuilt();
    };
  }

  private Path compiledOrPrebuilt() {
    try {
      return compiled();
    } catch (UncheckedIOException e) {
      LOG.warn("{}; using the objects built with the agent", Reason.of(e));
      return prebuilt();
    }
  }

  private Path compiled() {
    Path folder = compiler.compile(List.of());
    LOG.info("classifier: compiled {}", folder.getFileName());
    return folder;
  }

  private Path prebuilt() {
    List<String> objects = ClassifierResources.OBJECTS;
    try {
      Path folder =
          ObjectFolder.of(
              cache,
              ClassifierResources.hash(objects, "prebuilt"),
              made -> ClassifierResources.copy(objects, made));
      LOG.info("classifier: prebuilt {}", folder.getFileName());
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "unpacking the classifier into " + cache + " failed: " + Reason.of(e), e);
    }
  }
}
