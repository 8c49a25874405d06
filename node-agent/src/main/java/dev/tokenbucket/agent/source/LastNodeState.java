// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last seen node state, kept over restarts. A node that starts while the API server is away
 * enforces what it was last asked for.
 */
public final class LastNodeState {
  private static final Logger LOG = LoggerFactory.getLogger(LastNodeState.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path stateDir;
  private final String nodeName;
  private @Nullable Seen kept;

  /**
   * The part of a node state that says what to enforce.
   *
   * @param node the node's name
   */
  record Seen(String node, long generation, JsonNode spec) {}

  LastNodeState(Path stateDir, String nodeName) {
    this.stateDir = stateDir;
    this.nodeName = nodeName;
  }

  /** The kept state of this node; empty if there is none, or if it cannot be read. */
  Optional<Seen> read() {
    Path file = StateFiles.NODE_STATE.in(stateDir);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      Seen seen = JSON.readValue(file.toFile(), Seen.class);
      return isWhole(seen) && nodeName.equals(seen.node()) ? Optional.of(seen) : Optional.empty();
    } catch (IOException e) {
      LOG.warn(
          "{} can't be read, so the agent waits for the API server and leaves the kernel"
              + " as it is: {}",
          file,
          Reason.of(e));
      return Optional.empty();
    }
  }

  /** A file without policies must not remove any limit. */
  private static boolean isWhole(@Nullable Seen seen) {
    return seen != null && seen.spec() != null && seen.spec().path("policies").isArray();
  }

  /** Keeps the current state. A failed write is repeated at the next call. */
  void keep(long generation, JsonNode spec) {
    Seen seen = new Seen(nodeName, generation, spec);
    if (seen.equals(kept)) {
      return;
    }
    try {
      Optional<String> problem =
          StateFiles.NODE_STATE.write(stateDir, JSON.writeValueAsString(seen));
      problem.ifPresent(each -> LOG.warn("{}", each));
      kept = problem.isEmpty() ? seen : null;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a node state can't be written as JSON", e);
    }
  }

  /** Deletes the kept state, because the node is no longer asked for anything. */
  void forget() {
    try {
      Files.deleteIfExists(StateFiles.NODE_STATE.in(stateDir));
      kept = null;
    } catch (IOException e) {
      LOG.warn(
          "{} can't be deleted, so a restart without the API server would enforce the"
              + " removed state again: {}",
          StateFiles.NODE_STATE.in(stateDir),
          Reason.of(e));
    }
  }
}
