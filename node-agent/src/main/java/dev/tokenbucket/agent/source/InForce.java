// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the agent last asked of the kernel, kept for commands that replay or explain: the maps hold
 * it in a form from which terms can't be read again.
 *
 * @param failsafes what is exempt
 */
public record InForce(List<NodePolicy> policies, FailsafeSettings failsafes) {
  private static final ObjectMapper JSON = new ObjectMapper();

  public InForce {
    policies = List.copyOf(policies);
  }

  /** What an agent with this state folder has kept; empty where none has. */
  public static Optional<InForce> read(Path stateDir) throws IOException {
    Path file = StateFiles.IN_FORCE.in(stateDir);
    return Files.exists(file)
        ? Optional.of(JSON.readValue(file.toFile(), InForce.class))
        : Optional.empty();
  }

  /** Keeps this; why it could not be, empty where it was. */
  public Optional<String> write(Path stateDir) {
    try {
      return StateFiles.IN_FORCE.write(stateDir, JSON.writeValueAsString(this));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("policies can't be written as JSON", e);
    }
  }
}
