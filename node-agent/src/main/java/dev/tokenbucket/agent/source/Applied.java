// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import java.util.List;
import java.util.Map;

/**
 * The outcome of applying a desired state.
 *
 * @param failures by uid, why a policy is not in force
 * @param exempt what policies do not judge, one line each
 * @param repairs the repairs so far
 */
public record Applied(
    DesiredState state, Map<String, String> failures, List<String> exempt, Repairs repairs) {
  public Applied {
    failures = Map.copyOf(failures);
    exempt = List.copyOf(exempt);
  }
}
