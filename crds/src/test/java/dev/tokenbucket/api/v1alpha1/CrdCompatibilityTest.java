// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.TextNode;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRuleBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The CRDs take every object that the CRDs of the last landed version took. */
class CrdCompatibilityTest {
  private static final Path LANDED = Path.of("src/test/resources/landed");

  @ParameterizedTest
  @ValueSource(strings = {"tokenbucketpolicies", "tokenbucketaddresssets", "tokenbucketnodestates"})
  void whatTheLastLandedCrdTookIsTaken(String plural) throws IOException {
    Path now = Path.of(plural + ".tokenbucket.dev-v1.yml");
    Path landed = LANDED.resolve(plural + ".tokenbucket.dev-v1.yml");
    if (Boolean.getBoolean("crds.landed")) {
      Files.copy(now, landed, StandardCopyOption.REPLACE_EXISTING);
    }
    CustomResourceDefinition before = read(landed);
    CustomResourceDefinition after = read(now);

    assertThat(after.getSpec().getNames().getKind())
        .isEqualTo(before.getSpec().getNames().getKind());
    assertThat(after.getSpec().getScope()).isEqualTo(before.getSpec().getScope());
    assertThat(VersionChanges.between(before, after))
        .as("%s is incompatible with %s; where that is meant, see docs/adr/0022", now, landed)
        .isEmpty();
  }

  private static CustomResourceDefinition read(Path file) throws IOException {
    return Serialization.unmarshal(Files.readString(file), CustomResourceDefinition.class);
  }

  private static JSONSchemaProps schema(CustomResourceDefinition crd) {
    return crd.getSpec().getVersions().get(0).getSchema().getOpenAPIV3Schema();
  }

  static Stream<Arguments> furtherVersions() {
    return Stream.of(
        version(crd -> {}, List.of()),
        version(
            crd -> field(schema(crd), "spec").getProperties().remove("mode"),
            List.of("v1alpha1 .spec.mode is gone", "v1beta1 has another schema than v1alpha1")),
        version(
            crd -> crd.getSpec().getVersions().get(0).setServed(false),
            List.of("version v1alpha1 is no longer served")),
        version(crd -> crd.getSpec().getVersions().remove(0), List.of("version v1alpha1 is gone")));
  }

  private static Arguments version(Consumer<CustomResourceDefinition> change, List<String> found) {
    return Arguments.of(change, found);
  }

  /** As docs/adr/0022 has it: v1beta1 begins as a copy, and v1alpha1 stays. */
  @ParameterizedTest
  @MethodSource("furtherVersions")
  void aFurtherVersionHasTheSameSchemaAndReplacesNone(
      Consumer<CustomResourceDefinition> change, List<String> found) throws IOException {
    Path file = Path.of("tokenbucketpolicies.tokenbucket.dev-v1.yml");
    CustomResourceDefinition after = read(file);
    CustomResourceDefinitionVersion beta = read(file).getSpec().getVersions().get(0);
    beta.setName("v1beta1");
    beta.setStorage(false);
    after.getSpec().getVersions().add(beta);
    change.accept(after);

    assertThat(VersionChanges.between(read(file), after)).isEqualTo(found);
  }

  static Stream<Arguments> incompatibleChanges() {
    return Stream.of(
        change(spec -> spec.getProperties().remove("mode"), ".spec.mode is gone"),
        change(spec -> spec.getRequired().add("mode"), ".spec.mode is required now"),
        change(
            spec -> field(spec, "mode").getEnum().remove(0),
            ".spec.mode no longer has the value \"Audit\""),
        change(
            spec -> field(spec, "direction").setType("integer"),
            ".spec.direction type was string, is integer"),
        change(
            spec -> field(spec, "mode").setDefault(new TextNode("Audit")),
            ".spec.mode default was \"Enforce\", is \"Audit\""),
        change(
            spec -> field(spec, "interfaces").setMaxItems(1L),
            ".spec.interfaces maxItems was 32, is 1"),
        change(
            spec -> field(spec, "direction").setPattern("^I"),
            ".spec.direction pattern was null, is ^I"),
        change(
            spec ->
                spec.getXKubernetesValidations()
                    .add(new ValidationRuleBuilder().withRule("has(self.match)").build()),
            ".spec has a new rule: has(self.match)"));
  }

  private static JSONSchemaProps field(JSONSchemaProps spec, String name) {
    return Objects.requireNonNull(spec.getProperties().get(name));
  }

  private static Arguments change(Consumer<JSONSchemaProps> change, String found) {
    return Arguments.of(change, found);
  }

  @ParameterizedTest
  @MethodSource("incompatibleChanges")
  void anIncompatibleChangeIsFoundAndTheWayBackIsNone(
      Consumer<JSONSchemaProps> change, String found) throws IOException {
    Path file = Path.of("tokenbucketpolicies.tokenbucket.dev-v1.yml");
    JSONSchemaProps before = schema(read(file));
    JSONSchemaProps after = schema(read(file));
    change.accept(field(after, "spec"));

    assertThat(SchemaChanges.between(before, after)).isEqualTo(List.of(found));
    assertThat(SchemaChanges.between(before, schema(read(file)))).isEmpty();
  }
}
