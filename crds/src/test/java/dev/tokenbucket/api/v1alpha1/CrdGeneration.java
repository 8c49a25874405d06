package dev.tokenbucket.api.v1alpha1;

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
      List.of(TokenBucketPolicy.class, TokenBucketNodeState.class);

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
   * What no annotation says: the label of the version, the category, the order of columns, the key
   * of conditions.
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
      Map<String, JSONSchemaProps> fields =
          version.getSchema().getOpenAPIV3Schema().getProperties();
      Descriptions.addTo(fields, kind);
      JSONSchemaProps status = Objects.requireNonNull(fields.get("status"), "status");
      JSONSchemaProps conditions = status.getProperties().get("conditions");
      if (conditions != null) {
        conditions.setXKubernetesListType("map");
        conditions.setXKubernetesListMapKeys(List.of("type"));
        conditions.getItems().getSchema().setRequired(List.of("type", "status"));
      }
    }
  }
}
