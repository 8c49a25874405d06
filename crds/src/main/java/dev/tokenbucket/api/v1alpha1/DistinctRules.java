// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.ArrayList;
import java.util.LinkedHashSet;

/**
 * Removes duplicate rules. An annotation on a record component appears on both its field and its
 * accessor, so a user would get each error message twice.
 */
public final class DistinctRules implements SchemaCustomizer.Customizer {
  @Override
  public JSONSchemaProps apply(
      JSONSchemaProps schema, String input, KubernetesSerialization serialization) {
    makeDistinct(schema);
    return schema;
  }

  private static void makeDistinct(JSONSchemaProps schema) {
    // The generator adds to the list afterwards: it must be mutable.
    schema.setXKubernetesValidations(
        new ArrayList<>(new LinkedHashSet<>(schema.getXKubernetesValidations())));
    if (schema.getProperties() != null) {
      schema.getProperties().values().forEach(DistinctRules::makeDistinct);
    }
    if (schema.getItems() != null && schema.getItems().getSchema() != null) {
      makeDistinct(schema.getItems().getSchema());
    }
  }
}
