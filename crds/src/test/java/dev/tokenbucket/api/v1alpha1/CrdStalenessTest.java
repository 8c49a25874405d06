// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CrdStalenessTest {
  @TempDir Path generated;

  @ParameterizedTest
  @ValueSource(strings = {"tokenbucketpolicies", "tokenbucketaddresssets", "tokenbucketnodestates"})
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

  @ParameterizedTest
  @ValueSource(strings = {"tokenbucketpolicies", "tokenbucketaddresssets", "tokenbucketnodestates"})
  void everyFieldSaysWhatItMeans(String plural) throws IOException {
    CrdGeneration.into(generated);
    CustomResourceDefinition crd =
        Serialization.unmarshal(
            Files.readString(generated.resolve(plural + ".tokenbucket.dev-v1.yml")),
            CustomResourceDefinition.class);
    List<String> silent = new ArrayList<>();
    collectSilent("", crd.getSpec().getVersions().get(0).getSchema().getOpenAPIV3Schema(), silent);

    assertThat(silent).as("fields that kubectl explain says nothing of").isEmpty();
  }

  private static void collectSilent(String path, JSONSchemaProps schema, List<String> silent) {
    if (schema.getItems() != null) {
      collectSilent(path, schema.getItems().getSchema(), silent);
    }
    if (schema.getProperties() != null) {
      schema
          .getProperties()
          .forEach(
              (name, field) -> {
                if (field.getDescription() == null) {
                  silent.add(path + "." + name);
                }
                collectSilent(path + "." + name, field, silent);
              });
    }
  }

  @Test
  void theApiReferenceIsTheOneMadeFromTheTypes() throws IOException {
    CrdGeneration.into(generated);
    String made =
        ApiReference.of(
            List.of(
                generated.resolve("tokenbucketpolicies.tokenbucket.dev-v1.yml"),
                generated.resolve("tokenbucketaddresssets.tokenbucket.dev-v1.yml"),
                generated.resolve("tokenbucketnodestates.tokenbucket.dev-v1.yml")));
    Path page = Path.of("../docs/reference/api.md");
    if (Boolean.getBoolean("crds.update")) {
      Files.writeString(page, made);
    }

    assertThat(Files.readString(page)).as("%s is stale: run make crds", page).isEqualTo(made);
  }
}
