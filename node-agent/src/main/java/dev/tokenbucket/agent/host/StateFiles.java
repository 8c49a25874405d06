// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/**
 * The agent's files in its state folder, by name. A file is replaced as a whole, so that a reader
 * and a restarted agent find either the old text or the new one.
 */
public enum StateFiles {
  /** Locked by the running agent. */
  LOCK("agent.lock"),
  /** Compiled programs. */
  OBJECTS("objects"),
  /** The policies of each policy file, as of the last time the file was valid. */
  LAST_GOOD("last-good.json"),
  /** The last understood entry of each policy of the node state. */
  UNDERSTOOD("understood-entries.json"),
  /** The networks of the address sets that these entries name, by their hash. */
  ADDRESS_SETS("address-sets.json"),
  /** The last seen node state, for a start without the API server. */
  NODE_STATE("node-state.json"),
  /** The lowest level at which the running agent is asked to log. */
  LOG_LEVEL("log-level.txt"),
  /** What the kernel was last asked to run and what is exempt, for commands that try packets. */
  IN_FORCE("in-force.json"),
  /** The folder that the policy files were last read from. */
  FOLDER("policies-folder.txt"),
  /** Why policies are not in force, one line each, for {@code tb status}. */
  REFUSALS("refusals.txt"),
  /** What is exempt, one line each, for {@code tb status}. */
  FAILSAFES("failsafes.txt"),
  /** What a user should know about policies in force, one line each, for {@code tb status}. */
  WARNINGS("warnings.txt");

  private static final String PARTIAL = ".partial";

  private final String fileName;

  StateFiles(String fileName) {
    this.fileName = fileName;
  }

  public Path in(Path stateDir) {
    return stateDir.resolve(fileName);
  }

  /** The remains of an interrupted write. */
  public Path partialIn(Path stateDir) {
    return stateDir.resolve(fileName + PARTIAL);
  }

  public List<String> lines(Path stateDir) throws IOException {
    return Files.exists(in(stateDir)) ? Files.readAllLines(in(stateDir)) : List.of();
  }

  /**
   * Replaces the file, unless it already has this text.
   *
   * @return why the file could not be written and what to do; empty on success
   */
  public Optional<String> write(Path stateDir, String text) {
    try {
      if (Files.exists(in(stateDir)) && Files.readString(in(stateDir)).equals(text)) {
        return Optional.empty();
      }
      Path partial = partialIn(stateDir);
      try (FileChannel file =
          FileChannel.open(
              partial,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING)) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
          file.write(bytes);
        }
        // Without this, a power failure could leave an empty file under the new name.
        file.force(true);
      }
      Files.move(
          partial,
          in(stateDir),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(
          "--state-dir %s: writing %s failed (%s); free space there or name another folder"
              .formatted(stateDir, fileName, Reason.of(e)));
    }
  }
}
