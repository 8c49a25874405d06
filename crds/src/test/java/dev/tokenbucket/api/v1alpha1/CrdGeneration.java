// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.tokenbucket.api.BuildVersion;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.crdv2.generator.CRDPostProcessor;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceColumnDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** Makes the CRDs from the API's types. */
final class CrdGeneration {
  static final List<Class<? extends HasMetadata>> KINDS =
      List.of(TokenBucketPolicy.class, TokenBucketAddressSet.class, TokenBucketNodeState.class);

  private CrdGeneration() {}

  static void into(Path folder) {
    new CRDGenerator()
        .inOutputDir(folder.toFile())
        .forCRDVersions("v1")
        .customResourceClasses(KINDS)
        .withPostProcessor(new Finish())
        .generate();
  }

  /**
   * What no annotation says: the label of the version, the category, the order of columns, what a
   * kind is for, the keys of lists, and what Kubernetes' own types ask for.
   */
  private static final class Finish implements CRDPostProcessor {
    @Override
    public HasMetadata process(HasMetadata resource, String version) {
      CustomResourceDefinition crd = (CustomResourceDefinition) resource;
      crd.getMetadata().setLabels(Map.of("app.kubernetes.io/version", BuildVersion.current()));
      crd.getSpec().getNames().setCategories(List.of("tokenbucket"));
      crd.getSpec().getVersions().forEach(v -> finish(v, crd.getSpec().getNames().getKind()));
      return crd;
    }

    private static void finish(CustomResourceDefinitionVersion version, String kind) {
      List<String> order =
          KINDS.stream()
              .filter(type -> type.getSimpleName().equals(kind))
              .flatMap(type -> Stream.of(type.getAnnotationsByType(AdditionalPrinterColumn.class)))
              .map(AdditionalPrinterColumn::name)
              .toList();
      version.setAdditionalPrinterColumns(
          version.getAdditionalPrinterColumns().stream()
              .sorted(
                  Comparator.comparingInt(
                      (CustomResourceColumnDefinition column) -> order.indexOf(column.getName())))
              .toList());
      JSONSchemaProps whole = version.getSchema().getOpenAPIV3Schema();
      whole.setDescription(Descriptions.of(kind));
      Map<String, JSONSchemaProps> fields = whole.getProperties();
      Descriptions.addTo(fields, kind);
      if (kind.equals("TokenBucketPolicy")) {
        selector(field(field(fields, "spec"), "nodeSelector"));
        status(field(fields, "status"));
      } else if (kind.equals("TokenBucketAddressSet")) {
        conditions(field(field(fields, "status"), "conditions"));
      } else {
        // Of a list that is a map another hand's edit of one entry would go unseen in the others.
        field(field(fields, "spec"), "policies").setXKubernetesListType("atomic");
        byKey(field(field(fields, "status"), "policies"), "name");
        conditions(field(field(fields, "status"), "conditions"));
      }
    }

    private static void selector(JSONSchemaProps selector) {
      selector.setXKubernetesMapType("atomic");
      JSONSchemaProps expressions = field(selector, "matchExpressions");
      expressions.setXKubernetesListType("atomic");
      expressions.getItems().getSchema().setRequired(List.of("key", "operator"));
      field(expressions.getItems().getSchema(), "values").setXKubernetesListType("atomic");
    }

    private static void status(JSONSchemaProps status) {
      // Until the operator has seen it a policy is not taken for one that is as it is to be.
      status.setDefault(JsonNodeFactory.instance.objectNode().put("observedGeneration", -1));
      byKey(field(status, "failedNodes"), "name");
      conditions(field(status, "conditions"));
    }

    private static void conditions(JSONSchemaProps conditions) {
      byKey(conditions, "type");
      JSONSchemaProps condition = conditions.getItems().getSchema();
      condition.setRequired(List.of("type", "status", "lastTransitionTime", "reason", "message"));
      field(condition, "type").setMaxLength(316L);
      field(condition, "status")
          .setEnum(
              Stream.of("True", "False", "Unknown")
                  .<JsonNode>map(JsonNodeFactory.instance::textNode)
                  .toList());
      field(condition, "reason").setMinLength(1L);
      field(condition, "reason").setMaxLength(1024L);
      field(condition, "reason").setPattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$");
      field(condition, "message").setMaxLength(32768L);
      field(condition, "lastTransitionTime").setFormat("date-time");
      field(condition, "observedGeneration").setMinimum(0.0);
    }

    private static void byKey(JSONSchemaProps list, String key) {
      list.setXKubernetesListType("map");
      list.setXKubernetesListMapKeys(List.of(key));
      JSONSchemaProps item = list.getItems().getSchema();
      if (item.getRequired() == null || !item.getRequired().contains(key)) {
        item.setRequired(List.of(key));
      }
    }

    private static JSONSchemaProps field(JSONSchemaProps schema, String name) {
      return field(schema.getProperties(), name);
    }

    private static JSONSchemaProps field(Map<String, JSONSchemaProps> fields, String name) {
      return Objects.requireNonNull(fields.get(name), name);
    }
  }
}
