package dev.tokenbucket.agent;

import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where the desired state comes from, and where a report of what runs goes. */
interface DesiredStateSource extends AutoCloseable {
  /**
   * The desired state now; empty where there is none to be had, which changes nothing in the
   * kernel: only an empty list of policies removes limits.
   */
  Optional<DesiredState> current() throws IOException;

  /** Whether what {@link #current} says is what there is, be it nothing. */
  boolean looked();

  /** Returns once the desired state may have changed, or after {@code most}. */
  void awaitChange(Duration most) throws InterruptedException;

  /**
   * Tells what the kernel runs after {@code state} was applied.
   *
   * @param failures by uid, why a policy is not in force
   * @param warnings by uid, what a user should know though it is
   * @param exempt what policies do not judge, a line each
   */
  void report(
      DesiredState state,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings,
      List<String> exempt)
      throws IOException;

  @Override
  void close();
}
