// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.compile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The classifier's parts in the jar: sources, clang's flags, and the objects built from them. */
final class ClassifierResources {
  /** A response file for clang. */
  static final String FLAGS = "clang.flags";

  static final List<String> PROGRAMS =
      List.of("classifier.bpf", "parameters.bpf", "sweep.bpf", "xdp.bpf");
  static final List<String> OBJECTS = PROGRAMS.stream().map(name -> name + ".o").toList();

  private static final List<String> HEADERS =
      List.of(
          "admission.h",
          "clock.h",
          "context.h",
          "failsafe.h",
          "fragments.h",
          "hook.h",
          "maps.h",
          "match.h",
          "observe.h",
          "opp.h",
          "packet.h",
          "parameters.h",
          "parse.h",
          "places.h",
          "policy.h",
          "report.h",
          "reservation.h",
          "rewrite.h",
          "skb.h",
          "tables.h",
          "token_axis.h",
          "token_bucket.h",
          "xdp.h");

  /** All files of this project that clang reads. */
  static final List<String> SOURCES =
      Stream.of(List.of(FLAGS), PROGRAMS.stream().map(name -> name + ".c").toList(), HEADERS)
          .flatMap(List::stream)
          .toList();

  private static final int HASH_DIGITS = 16;

  private ClassifierResources() {}

  private static InputStream open(String name) throws IOException {
    InputStream in = ClassifierResources.class.getResourceAsStream("/bpf/" + name);
    if (in == null) {
      throw new IOException("the jar holds no /bpf/" + name);
    }
    return in;
  }

  static byte[] read(String name) throws IOException {
    try (InputStream in = open(name)) {
      return in.readAllBytes();
    }
  }

  static void copy(List<String> names, Path folder) throws IOException {
    for (String name : names) {
      try (InputStream in = open(name)) {
        Files.copy(in, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  /**
   * A name for the product of these resources.
   *
   * @param more what else the product depends on
   * @return hexadecimal digits
   */
  static String hash(List<String> names, String more) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(more.getBytes(StandardCharsets.UTF_8));
      for (String name : names) {
        try (InputStream in = open(name)) {
          byte[] bytes = in.readAllBytes();
          digest.update((name + " " + bytes.length + "\n").getBytes(StandardCharsets.UTF_8));
          digest.update(bytes);
        }
      }
      return HexFormat.of().formatHex(digest.digest()).substring(0, HASH_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
