// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.Objects;

/**
 * Adds to the schema of an address set what no annotation can express. The list is atomic: for a
 * list of type set, the API server would keep the owner of each of 10,000 items in the object.
 */
public final class AddressSetSchema implements SchemaCustomizer.Customizer {
  @Override
  public JSONSchemaProps apply(
      JSONSchemaProps schema, String input, KubernetesSerialization serialization) {
    JSONSchemaProps cidrs = Objects.requireNonNull(schema.getProperties().get("cidrs"));
    cidrs.setXKubernetesListType("atomic");
    MatchTermSchema.restrictToNetworks(cidrs);
    return schema;
  }
}
