package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrdStalenessTest {
  @TempDir Path generated;

  @ParameterizedTest
  @ValueSource(strings = {"tokenbucketpolicies", "tokenbucketnodestates"})
  void theCommittedCrdIsTheOneMadeFromTheTypes(String plural) throws IOException {
    String name = plural + ".tokenbucket.dev-v1.yml";
    CrdGeneration.into(generated);
    if (Boolean.getBoolean("crds.update")) {
      Files.copy(generated.resolve(name), Path.of(name), StandardCopyOption.REPLACE_EXISTING);
    }

    assertThat(Files.readString(Path.of(name)))
        .as("%s is stale: run make crds", name)
        .isEqualTo(Files.readString(generated.resolve(name)));
  }

  @Test
  void theApiReferenceIsTheOneMadeFromTheTypes() throws IOException {
    CrdGeneration.into(generated);
    String made =
        ApiReference.of(
            List.of(
                generated.resolve("tokenbucketpolicies.tokenbucket.dev-v1.yml"),
                generated.resolve("tokenbucketnodestates.tokenbucket.dev-v1.yml")));
    Path page = Path.of("../docs/reference/api.md");
    if (Boolean.getBoolean("crds.update")) {
      Files.writeString(page, made);
    }

    assertThat(Files.readString(page)).as("%s is stale: run make crds", page).isEqualTo(made);
  }
}
