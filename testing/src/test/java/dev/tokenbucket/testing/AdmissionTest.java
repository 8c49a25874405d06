// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import org.junit.jupiter.api.extension.ExtendWith;

/** {@link AdmissionRules} under the plain manifests. */
@ExtendWith(ControlPlaneExtension.class)
class AdmissionTest extends AdmissionRules {
  private final ControlPlane controlPlane;

  AdmissionTest(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
  }

  @Override
  ControlPlane controlPlane() {
    return controlPlane;
  }

  @Override
  Installation installation() {
    return Installation.PLAIN;
  }
}
