package dev.tokenbucket.agent.compile;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Compiles the classifier's sources with clang, cached by hash of sources, flags and compiler. */
public final class ClassifierCompiler {
  private static final Logger LOG = LoggerFactory.getLogger(ClassifierCompiler.class);
  private static final List<String> SOURCES =
      List.of(
          "classifier.bpf.c",
          "parameters.bpf.c",
          "clock.h",
          "failsafe.h",
          "hook.h",
          "maps.h",
          "match.h",
          "opp.h",
          "packet.h",
          "parse.h",
          "places.h",
          "policy.h",
          "reservation.h",
          "rewrite.h",
          "skb.h",
          "sweep.bpf.c",
          "tables.h",
          "token_axis.h",
          "parameters.h",
          "token_bucket.h");
  private static final List<String> FLAGS =
      List.of("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror");
  private static final long TIMEOUT_SECONDS = 120;

  private final Path cache;

  /**
   * @param cache a folder for sources and objects, made where missing
   */
  public ClassifierCompiler(Path cache) {
    this.cache = cache;
  }

  /**
   * The folder that holds an object a program, {@code classifier.bpf.o} and so on. Its name is the
   * hash, so that equal names mean equal programs.
   *
   * @param defines macros to define, of this program's own choosing
   */
  public Path compile(List<String> defines) {
    try {
      String version = run(List.of("clang", "--version"));
      String machine = run(List.of("clang", "-dumpmachine")).strip();
      Path folder = cache.resolve(hash(version, defines));
      if (Files.exists(folder.resolve("complete"))) {
        return folder;
      }
      Files.createDirectories(folder);
      for (String source : SOURCES) {
        try (InputStream in = resource(source)) {
          Files.copy(in, folder.resolve(source), StandardCopyOption.REPLACE_EXISTING);
        }
      }
      String include = "/usr/include/" + machine.replaceFirst("-.*", "") + "-linux-gnu";
      for (String program : List.of("classifier.bpf", "parameters.bpf", "sweep.bpf")) {
        List<String> command = new java.util.ArrayList<>(List.of("clang"));
        command.addAll(FLAGS);
        defines.forEach(define -> command.add("-D" + define));
        command.addAll(List.of("-I", include, "-c", folder.resolve(program + ".c").toString()));
        command.addAll(List.of("-o", folder.resolve(program + ".o").toString()));
        run(command);
      }
      Files.writeString(folder.resolve("complete"), version);
      LOG.info("compiled the classifier into {}", folder);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "compiling the classifier failed: " + e.getMessage() + "; is clang installed?", e);
    }
  }

  private static String hash(String version, List<String> defines) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update((version + FLAGS + defines).getBytes(StandardCharsets.UTF_8));
      for (String source : SOURCES) {
        try (InputStream in = resource(source)) {
          digest.update(in.readAllBytes());
        }
      }
      return HexFormat.of().formatHex(digest.digest()).substring(0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static InputStream resource(String source) throws IOException {
    InputStream in = ClassifierCompiler.class.getResourceAsStream("/bpf/" + source);
    if (in == null) {
      throw new IOException("the jar holds no /bpf/" + source);
    }
    return in;
  }

  private static String run(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    try {
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException(String.join(" ", command) + " took over " + TIMEOUT_SECONDS + " s");
      }
      if (process.exitValue() != 0) {
        throw new IOException(String.join(" ", command) + ":\n" + output);
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
