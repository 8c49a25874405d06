package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this node is to run.
 *
 * @param generation of the object that says so; 0 in stand-alone mode
 * @param refusals what was not accepted and why, one line each
 * @param failsafe what is to be exempt, where the object says so
 * @param unsupported by uid, policies of which this version does not understand the generation
 *     asked for; the one last understood is among the policies, where there is one
 * @param notes what else is not understood, one line each
 */
public record DesiredState(
    long generation,
    List<NodePolicy> policies,
    List<String> refusals,
    @Nullable NodeFailsafe failsafe,
    Map<String, Unsupported> unsupported,
    List<String> notes) {

  /**
   * A policy's entry that is not understood.
   *
   * @param generation asked for
   * @param message which field or value, and what becomes of the policy
   */
  public record Unsupported(String name, long generation, String message) {}

  /** With nothing exempt by it, and all understood. */
  public DesiredState(long generation, List<NodePolicy> policies, List<String> refusals) {
    this(generation, policies, refusals, null, Map.of(), List.of());
  }
}
