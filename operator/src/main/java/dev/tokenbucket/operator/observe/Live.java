// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.observe;

import dev.tokenbucket.operator.OperatorRuntime;
import jakarta.enterprise.context.ApplicationScoped;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/** Down if an informer has ended, because only a restart helps. */
@Liveness
@ApplicationScoped
class Live implements HealthCheck {
  private final OperatorRuntime runtime;

  Live(OperatorRuntime runtime) {
    this.runtime = runtime;
  }

  @Override
  public HealthCheckResponse call() {
    return HealthCheckResponse.named("informers").status(runtime.live()).build();
  }
}
