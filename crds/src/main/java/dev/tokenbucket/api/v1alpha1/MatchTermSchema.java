// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.crdv2.generator.v1.SchemaCustomizer;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRuleBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Adds to a match term's schema what no annotation can express: rules for a list's items, and the
 * longest int-or-string, without which the rules would exceed the API server's cost limit.
 */
public final class MatchTermSchema implements SchemaCustomizer.Customizer {
  private static final long MAX_CIDR_LENGTH = 43;
  private static final long MAX_PORTS_LENGTH = 16;
  private static final long MAX_NAME_LENGTH = 253;

  @Override
  public JSONSchemaProps apply(
      JSONSchemaProps schema, String input, KubernetesSerialization serialization) {
    field(schema, "protocol").setMaxLength(MAX_PORTS_LENGTH);
    for (String ports :
        List.of("sourcePorts", "destinationPorts", "notSourcePorts", "notDestinationPorts")) {
      item(schema, ports).setMaxLength(MAX_PORTS_LENGTH);
      addRule(item(schema, ports), MatchRules.PORT, MatchRules.PORT_MESSAGE);
    }
    for (String networks :
        List.of("sourceCIDRs", "destinationCIDRs", "notSourceCIDRs", "notDestinationCIDRs")) {
      restrictToNetworks(field(schema, networks));
      field(schema, networks).setXKubernetesListType("set");
    }
    for (String sets : List.of("sourceAddressSets", "destinationAddressSets")) {
      item(schema, sets).setMaxLength(MAX_NAME_LENGTH);
      addRule(item(schema, sets), MatchRules.SET_NAME, MatchRules.SET_NAME_MESSAGE);
      field(schema, sets).setXKubernetesListType("set");
    }
    item(schema, "packetLengths").setMaxLength(MAX_PORTS_LENGTH);
    addRule(item(schema, "packetLengths"), MatchRules.LENGTH, MatchRules.LENGTH_MESSAGE);
    addRule(item(schema, "dscps"), MatchRules.DSCP, MatchRules.DSCP_MESSAGE);
    field(schema, "dscps").setXKubernetesListType("set");
    for (String flags : List.of("set", "unset")) {
      field(field(schema, "tcpFlags"), flags).setXKubernetesListType("set");
    }
    return schema;
  }

  /** Restricts a list's items to networks. */
  static void restrictToNetworks(JSONSchemaProps list) {
    JSONSchemaProps item = list.getItems().getSchema();
    item.setMaxLength(MAX_CIDR_LENGTH);
    addRule(item, MatchRules.CIDR, MatchRules.CIDR_MESSAGE);
  }

  private static JSONSchemaProps field(JSONSchemaProps schema, String name) {
    return Objects.requireNonNull(schema.getProperties().get(name), name);
  }

  private static JSONSchemaProps item(JSONSchemaProps schema, String list) {
    return Objects.requireNonNull(field(schema, list).getItems().getSchema(), list);
  }

  private static void addRule(JSONSchemaProps schema, String rule, String message) {
    schema.setXKubernetesValidations(
        new ArrayList<>(
            List.of(new ValidationRuleBuilder().withRule(rule).withMessage(message).build())));
  }
}
