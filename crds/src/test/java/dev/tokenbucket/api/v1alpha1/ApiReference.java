// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes docs/reference/api.md from the CRDs. */
final class ApiReference {
  private static final String HEAD =
      """
      # API reference

      Group `tokenbucket.dev`, version `v1alpha1`; both kinds are cluster-scoped. Made from the CRDs
      under `crds/` by `make crds`: edit the Java types, not this page.
      """;

  private ApiReference() {}

  static String of(List<Path> crds) throws IOException {
    StringBuilder page = new StringBuilder(HEAD);
    for (Path file : crds) {
      CustomResourceDefinition crd =
          Serialization.unmarshal(Files.readString(file), CustomResourceDefinition.class);
      var names = crd.getSpec().getNames();
      page.append("\n## ").append(names.getKind()).append("\n\nShort name `");
      page.append(names.getShortNames().get(0)).append("`.\n\n");
      page.append("| field | type | default | meaning | allowed |\n|---|---|---|---|---|\n");
      Map<String, JSONSchemaProps> top =
          crd.getSpec().getVersions().get(0).getSchema().getOpenAPIV3Schema().getProperties();
      for (String part : List.of("spec", "status")) {
        JSONSchemaProps schema = top.get(part);
        if (schema != null) {
          rows(part, schema, page);
        }
      }
    }
    return page.toString();
  }

  private static void rows(String path, JSONSchemaProps schema, StringBuilder page) {
    new TreeMap<>(schema.getProperties())
        .forEach(
            (name, field) -> {
              boolean list = field.getItems() != null;
              String child = path + "." + name + (list ? "[]" : "");
              row(child, field, page);
              JSONSchemaProps inner = list ? field.getItems().getSchema() : field;
              if (inner.getProperties() != null) {
                rows(child, inner, page);
              }
            });
  }

  private static void row(String path, JSONSchemaProps field, StringBuilder page) {
    page.append("| `").append(path).append("` | ").append(type(field)).append(" | ");
    page.append(field.getDefault() == null ? "" : "`" + field.getDefault() + "`").append(" | ");
    page.append(field.getDescription() == null ? "" : field.getDescription()).append(" | ");
    page.append(String.join("; ", allowed(field))).append(" |\n");
  }

  private static String type(JSONSchemaProps field) {
    if (field.getItems() != null) {
      return "list of " + type(field.getItems().getSchema());
    }
    if (!Boolean.TRUE.equals(field.getXKubernetesIntOrString())) {
      return field.getType();
    }
    boolean quantity =
        field.getXKubernetesValidations().stream()
            .anyMatch(rule -> rule.getRule().startsWith("isQuantity("));
    return quantity ? "quantity" : "integer or string";
  }

  private static List<String> allowed(JSONSchemaProps field) {
    List<String> allowed = new ArrayList<>();
    if (field.getEnum() != null && !field.getEnum().isEmpty()) {
      allowed.add(
          String.join(", ", field.getEnum().stream().map(v -> "`" + v.asText() + "`").toList()));
    }
    if (field.getMaxItems() != null) {
      allowed.add(
          (field.getMinItems() == null ? "" : "at least " + field.getMinItems() + ", ")
              + "at most "
              + field.getMaxItems()
              + " items");
    }
    if (field.getMaxLength() != null) {
      allowed.add("at most " + field.getMaxLength() + " bytes");
    }
    List<ValidationRule> rules = new ArrayList<>(field.getXKubernetesValidations());
    if (field.getItems() != null) {
      rules.addAll(field.getItems().getSchema().getXKubernetesValidations());
    }
    rules.forEach(rule -> allowed.add(rule.getMessage()));
    return allowed;
  }
}
