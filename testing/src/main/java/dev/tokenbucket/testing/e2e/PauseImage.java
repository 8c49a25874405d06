// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * The program that keeps pods' sandboxes and nodes alive, and its image.
 *
 * @param program a static executable
 * @param archive an archive for {@code ctr images import}
 */
record PauseImage(Path program, Path archive) {
  private static final String CONFIGURATION =
      """
      {"architecture": "%s", "os": "linux", "config": {"Entrypoint": ["/pause"]},
       "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}
      """;
  private static final String MANIFEST =
      """
      [{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]
      """;

  /** Compiles the program and packs the image, in a folder of its own. */
  static PauseImage build(Path folder) throws IOException {
    Files.createDirectories(folder);
    Path program = folder.resolve("pause");
    Commands.run(
        "clang",
        "-static",
        "-O2",
        "-o",
        program.toString(),
        Commands.repository().resolve("testing/src/main/c/pause.c").toString());
    tar(folder, "layer.tar", "pause");
    String architecture = System.getProperty("os.arch", "").equals("aarch64") ? "arm64" : "amd64";
    Files.writeString(
        folder.resolve("config.json"),
        CONFIGURATION.formatted(architecture, sha256(folder.resolve("layer.tar"))));
    Files.writeString(folder.resolve("manifest.json"), MANIFEST.formatted(NodeSettings.SANDBOX));
    tar(folder, "pause.image.tar", "manifest.json", "config.json", "layer.tar");
    return new PauseImage(program, folder.resolve("pause.image.tar"));
  }

  private static void tar(Path folder, String archive, String... members) {
    List<String> command =
        new ArrayList<>(
            List.of("tar", "-C", folder.toString(), "-cf", folder.resolve(archive).toString()));
    command.addAll(List.of(members));
    Commands.run(command);
  }

  private static String sha256(Path file) throws IOException {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
      return "%064x".formatted(new BigInteger(1, digest));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
