// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The ways in which a CRD with one or more versions breaks objects of an earlier CRD. Pure. */
final class VersionChanges {
  private VersionChanges() {}

  /**
   * Compares two CRDs of one kind, each version with the one of its name.
   *
   * @return one line per incompatible change; empty if there is none
   */
  static List<String> between(CustomResourceDefinition before, CustomResourceDefinition after) {
    List<String> found = new ArrayList<>();
    Map<String, CustomResourceDefinitionVersion> versions =
        after.getSpec().getVersions().stream()
            .collect(
                Collectors.toMap(CustomResourceDefinitionVersion::getName, Function.identity()));
    for (CustomResourceDefinitionVersion landed : before.getSpec().getVersions()) {
      CustomResourceDefinitionVersion now = versions.get(landed.getName());
      if (now == null) {
        found.add("version " + landed.getName() + " is gone");
        continue;
      }
      if (landed.getServed() && !now.getServed()) {
        found.add("version " + landed.getName() + " is no longer served");
      }
      SchemaChanges.between(schema(landed), schema(now)).stream()
          .map(change -> landed.getName() + " " + change)
          .forEach(found::add);
    }
    found.addAll(differences(after.getSpec().getVersions()));
    return List.copyOf(found);
  }

  /** Without a conversion, an object of one version is read as any other. */
  private static List<String> differences(List<CustomResourceDefinitionVersion> versions) {
    CustomResourceDefinitionVersion first = versions.get(0);
    return versions.stream()
        .filter(other -> !schema(other).equals(schema(first)))
        .map(other -> other.getName() + " has another schema than " + first.getName())
        .toList();
  }

  private static JSONSchemaProps schema(CustomResourceDefinitionVersion version) {
    return version.getSchema().getOpenAPIV3Schema();
  }
}
