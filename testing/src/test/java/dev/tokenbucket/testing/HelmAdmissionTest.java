// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.testing.chart.Chart;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@link AdmissionRules} under a release of another name, namespace and accounts, installed by helm
 * on a cluster without Tokenbucket.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HelmAdmissionTest extends AdmissionRules {
  private static final Installation FENCED =
      new Installation("fence-tokenbucket", "elsewhere", "shaper", "fence-tokenbucket-operator");

  private ControlPlane controlPlane;

  @BeforeAll
  void install(@TempDir Path folder) {
    controlPlane = ControlPlane.start(folder, Daemon.Lifetime.WITH_PARENT);
    Chart.withHelm()
        .install(
            controlPlane.kubeconfig(),
            "fence",
            FENCED.namespace(),
            Chart.sets("agent.serviceAccount.name=" + FENCED.agent()));
    new Cluster(controlPlane).awaitAdmission(FENCED.name(), FENCED.namespace(), FENCED.agent());
  }

  @AfterAll
  void end() {
    controlPlane.close();
  }

  @Override
  ControlPlane controlPlane() {
    return controlPlane;
  }

  @Override
  Installation installation() {
    return FENCED;
  }
}
