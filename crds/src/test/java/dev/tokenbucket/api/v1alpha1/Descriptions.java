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
              "A limit on traffic: whose (nodeSelector, interfaces, direction, match, exempt), how"
                  + " much (rate, burst), shared by whom (bucket), and what becomes of the rest"
                  + " (exceed, mode). Only rate is required."),
          Map.entry("status", "What the operator knows from the nodes' own reports."),
          Map.entry(
              "spec.nodeSelector.matchLabels",
              "The node has each of these labels with this value. matchLabels and matchExpressions"
                  + " must both hold."),
          Map.entry(
              "spec.nodeSelector.matchExpressions", "Each of these must hold of a node's labels."),
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
              "Why, in one word; docs/reference/conditions.md has all."),
          Map.entry("status.conditions.message", "Why, for a person to read."),
          Map.entry(
              "status.conditions.observedGeneration",
              "The policy's generation that the condition speaks of."),
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
          "Why, in one word; docs/reference/conditions.md has all.",
          "status.conditions.message",
          "Why, for a person to read.",
          "status.conditions.observedGeneration",
          "The node state's generation that the condition speaks of, where it does.",
          "status.conditions.lastTransitionTime",
          "When status last changed.");

  private static final String POLICY_KIND =
      "A TokenBucketPolicy limits traffic on nodes' own network interfaces by a token bucket: on the"
          + " nodes that it selects, each agent's classifier lets pass what the bucket grants.";
  private static final String NODE_STATE_KIND =
      "A TokenBucketNodeState says what one node is to run, and what its kernel runs. It has its"
          + " Node's name. The operator writes its spec, the node's agent its status; it is not made"
          + " by hand.";

  private Descriptions() {}

  /** What a kind is for. */
  static String of(String kind) {
    return kind.equals("TokenBucketPolicy") ? POLICY_KIND : NODE_STATE_KIND;
  }

  /**
   * @param fields spec and status of a kind
   */
  static void addTo(Map<String, JSONSchemaProps> fields, String kind) {
    (kind.equals("TokenBucketPolicy") ? POLICY : NODE_STATE)
        .forEach((path, text) -> field(fields, path).setDescription(text));
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
