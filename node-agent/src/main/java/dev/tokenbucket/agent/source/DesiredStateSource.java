package dev.tokenbucket.agent.source;

import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the desired state comes from, and where a report of what runs goes. */
public interface DesiredStateSource extends AutoCloseable {
  /**
   * The desired state now; empty where there is none to be had, which changes nothing in the
   * kernel: only an empty list of policies removes limits.
   */
  Optional<DesiredState> current() throws IOException;

  /** Whether what {@link #current} says is what there is, be it nothing. */
  boolean looked();

  /** When a report last reached whoever asks for this state; empty where it is nobody's. */
  default Optional<Instant> lastContact() {
    return Optional.empty();
  }

  /** How long to wait at most between two looks at the desired state. */
  Duration poll();

  /**
   * Tells what the kernel runs; from one thread, which need not be that of {@link #current}.
   *
   * @param warnings by uid, what a user should know though the policy is in force
   * @return whether it was told, or is known already
   */
  boolean report(Applied applied, List<RunningHook> running, Map<String, List<String>> warnings)
      throws IOException;

  @Override
  void close();
}
