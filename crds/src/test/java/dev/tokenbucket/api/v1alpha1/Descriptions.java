// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import java.util.Map;
import java.util.Objects;

/** What fields mean whose types are Kubernetes', and spec and status as a whole. */
final class Descriptions {
  private static final Map<String, String> POLICY =
      Map.ofEntries(
          Map.entry(
              "spec",
              "A limit on traffic: which traffic (nodeSelector, interfaces, direction, match,"
                  + " exempt), how much of it passes (rate, burst), who shares the limit (bucket),"
                  + " and what happens to packets beyond it (exceed, mode). Only rate is"
                  + " required."),
          Map.entry("status", "What the operator knows from the nodes' own reports."),
          Map.entry(
              "spec.nodeSelector.matchLabels",
              "The node has each of these labels with this value. matchLabels and matchExpressions"
                  + " must both hold."),
          Map.entry(
              "spec.nodeSelector.matchExpressions",
              "Requirements that a node's labels must all meet."),
          Map.entry("spec.nodeSelector.matchExpressions.key", "The label's key."),
          Map.entry(
              "spec.nodeSelector.matchExpressions.operator", "In, NotIn, Exists or DoesNotExist."),
          Map.entry(
              "spec.nodeSelector.matchExpressions.values",
              "With In and NotIn at least one value; with Exists and DoesNotExist none."),
          Map.entry(
              "status.conditions.type",
              "Ready, Accepted, Programmed, Degraded, Reconciling or Stalled."),
          Map.entry("status.conditions.status", "True, False or Unknown."),
          Map.entry(
              "status.conditions.reason",
              "The reason in one word; docs/reference/conditions.md lists all reasons."),
          Map.entry("status.conditions.message", "The reason as a sentence."),
          Map.entry(
              "status.conditions.observedGeneration",
              "The policy's generation that the condition refers to."),
          Map.entry("status.conditions.lastTransitionTime", "When status last changed."));
  private static final Map<String, String> NODE_STATE =
      Map.of(
          "spec",
          "What this node is to run; written by the operator alone.",
          "status",
          "What this node's agent read back from its kernel; written by that agent alone.",
          "status.conditions.type",
          "Repaired.",
          "status.conditions.status",
          "True, False or Unknown.",
          "status.conditions.reason",
          "The reason in one word; docs/reference/conditions.md lists all reasons.",
          "status.conditions.message",
          "The reason as a sentence.",
          "status.conditions.observedGeneration",
          "The node state's generation that the condition refers to, if any.",
          "status.conditions.lastTransitionTime",
          "When status last changed.");

  private static final Map<String, String> ADDRESS_SET =
      Map.of(
          "spec",
          "The networks, which one writer keeps.",
          "status",
          "What the operator knows of the set.",
          "status.conditions.type",
          "Ready.",
          "status.conditions.status",
          "True, False or Unknown.",
          "status.conditions.reason",
          "The reason in one word; docs/reference/conditions.md lists all reasons.",
          "status.conditions.message",
          "The reason as a sentence.",
          "status.conditions.observedGeneration",
          "The set's generation that the condition refers to.",
          "status.conditions.lastTransitionTime",
          "When status last changed.");

  private static final String POLICY_KIND =
      "A TokenBucketPolicy limits traffic on the network interfaces of nodes with a token bucket."
          + " On each selected node, the agent's classifier passes what the bucket grants.";
  private static final String ADDRESS_SET_KIND =
      "A TokenBucketAddressSet is a list of networks that policies name in sourceAddressSets and"
          + " destinationAddressSets of match and exempt. Another program may keep the list, for"
          + " example by server-side apply; a change of the list reaches the nodes without a change"
          + " of the policies.";
  private static final String NODE_STATE_KIND =
      "A TokenBucketNodeState says what one node is to run, and what its kernel runs. It has the"
          + " name of its Node. The operator writes spec, the node's agent writes status; do not"
          + " create one by hand.";

  private Descriptions() {}

  /** What a kind is for. */
  static String of(String kind) {
    return switch (kind) {
      case "TokenBucketPolicy" -> POLICY_KIND;
      case "TokenBucketAddressSet" -> ADDRESS_SET_KIND;
      default -> NODE_STATE_KIND;
    };
  }

  /**
   * @param fields spec and status of a kind
   */
  static void addTo(Map<String, JSONSchemaProps> fields, String kind) {
    Map<String, String> texts =
        switch (kind) {
          case "TokenBucketPolicy" -> POLICY;
          case "TokenBucketAddressSet" -> ADDRESS_SET;
          default -> NODE_STATE;
        };
    texts.forEach((path, text) -> field(fields, path).setDescription(text));
  }

  private static JSONSchemaProps field(Map<String, JSONSchemaProps> fields, String path) {
    Map<String, JSONSchemaProps> at = fields;
    JSONSchemaProps field = new JSONSchemaProps();
    for (String name : path.split("\\.", -1)) {
      field = Objects.requireNonNull(at.get(name), path);
      JSONSchemaProps inner =
          field.getItems() == null ? field : Objects.requireNonNull(field.getItems().getSchema());
      at = inner.getProperties();
    }
    return field;
  }
}
