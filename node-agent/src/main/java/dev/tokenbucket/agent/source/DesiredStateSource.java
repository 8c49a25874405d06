// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the desired state comes from, and where reports of the running state go. */
public interface DesiredStateSource extends AutoCloseable {
  /**
   * The desired state now; empty if none is available. An empty result changes nothing in the
   * kernel, because only an empty list of policies removes limits.
   */
  Optional<DesiredState> current() throws IOException;

  /** Whether {@link #current} reflects the source's actual content, even if that is empty. */
  boolean looked();

  /** When a report last reached the API server; empty before that, and in stand-alone mode. */
  default Optional<Instant> lastContact() {
    return Optional.empty();
  }

  /** The longest wait between two looks at the desired state. */
  Duration poll();

  /**
   * Reports what the kernel runs. Called by one thread, which may differ from that of {@link
   * #current}.
   *
   * @param warnings by uid, what a user should know although the policy is in force
   * @return whether the report was delivered, or was not needed
   */
  boolean report(Applied applied, List<RunningHook> running, Map<String, List<String>> warnings)
      throws IOException;

  @Override
  void close();
}
