// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.observe;

import dev.tokenbucket.operator.OperatorRuntime;
import dev.tokenbucket.operator.lease.LeaderElection;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/**
 * Up once the caches are filled, on a standby as well as on the leader, so that the standby could
 * take over.
 */
@Readiness
@ApplicationScoped
class Ready implements HealthCheck {
  private final OperatorRuntime runtime;
  private final LeaderElection election;

  Ready(OperatorRuntime runtime, LeaderElection election) {
    this.runtime = runtime;
    this.election = election;
  }

  @Override
  public HealthCheckResponse call() {
    return HealthCheckResponse.named("caches")
        .status(runtime.ready())
        .withData("leading", election.leading())
        .build();
  }
}
