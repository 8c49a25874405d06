// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What this node is to run.
 *
 * @param generation the generation of the object that says so; 0 in stand-alone mode
 * @param refusals what was not accepted and why, one line each
 * @param failsafe what is to be exempt, if the object says so
 * @param unsupported by uid, policies whose generation this version does not understand, or whose
 *     address sets are not there yet; the policies contain the last one in force, if there is one
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
   * A policy's entry that is not understood, or that waits for an address set.
   *
   * @param generation the entry's generation
   * @param message which field or value is not understood or what is missing, and whether the
   *     policy stays in force
   * @param reason one of {@link Reasons}
   */
  public record Unsupported(String name, long generation, String message, String reason) {
    /** An entry that is not understood. */
    public Unsupported(String name, long generation, String message) {
      this(name, generation, message, Reasons.UNSUPPORTED);
    }
  }

  /** A state that is understood completely and sets no failsafe. */
  public DesiredState(long generation, List<NodePolicy> policies, List<String> refusals) {
    this(generation, policies, refusals, null, Map.of(), List.of());
  }
}
