package dev.tokenbucket.agent.source;

import java.util.List;
import java.util.Map;

/**
 * What came of a desired state.
 *
 * @param failures by uid, why a policy is not in force
 * @param exempt what policies do not judge, a line each
 * @param repairs up to now
 */
public record Applied(
    DesiredState state, Map<String, String> failures, List<String> exempt, Repairs repairs) {
  public Applied {
    failures = Map.copyOf(failures);
    exempt = List.copyOf(exempt);
  }
}
