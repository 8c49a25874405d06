// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BuildVersionTest {
  @Test
  void isTheOneOfTheMavenProject() {
    assertThat(BuildVersion.current()).isEqualTo(System.getProperty("project.version"));
  }
}
