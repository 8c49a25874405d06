// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/**
 * The status that kstatus, which Helm and Flux wait by, computes for a resource without rules of
 * its own.
 */
final class Kstatus {
  private Kstatus() {}

  static String of(JsonNode resource) {
    if (resource.at("/metadata").has("deletionTimestamp")) {
      return "Terminating";
    }
    JsonNode observed = resource.at("/status/observedGeneration");
    if (observed.isNumber() && observed.asLong() != resource.at("/metadata/generation").asLong()) {
      return "InProgress";
    }
    Map<String, String> conditions = new TreeMap<>();
    resource
        .at("/status/conditions")
        .forEach(each -> conditions.put(each.at("/type").asText(), each.at("/status").asText()));
    if ("True".equals(conditions.get("Reconciling"))) {
      return "InProgress";
    }
    if ("True".equals(conditions.get("Stalled"))) {
      return "Failed";
    }
    String ready = conditions.getOrDefault("Ready", "True");
    return ready.equals("True") ? "Current" : "InProgress";
  }
}
