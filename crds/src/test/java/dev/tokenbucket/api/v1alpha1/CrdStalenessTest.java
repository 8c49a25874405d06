package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrdStalenessTest {
  @ParameterizedTest
  @ValueSource(strings = {"tokenbucketpolicies", "tokenbucketnodestates"})
  void theCommittedCrdIsTheOneMadeFromTheTypes(String plural) throws IOException {
    String name = plural + ".tokenbucket.dev-v1.yml";

    assertThat(Files.readString(Path.of(name)))
        .as("stale: copy target/crds/%s over crds/%s", name, name)
        .isEqualTo(Files.readString(Path.of("target/crds", name)));
  }
}
