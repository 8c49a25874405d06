// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import dev.tokenbucket.testing.scale.Exposition.Sample;
import java.util.Set;

/**
 * Writes of this project's kinds and of Events, as counted by the API server.
 *
 * @param nodeStates writes of specs and metadata, by the operator
 * @param nodeStatuses writes by agents
 * @param policies writes of finalizers, and of what a user applied
 * @param policyStatuses writes by the operator
 * @param events writes by the operator
 */
record Writes(long nodeStates, long nodeStatuses, long policies, long policyStatuses, long events) {
  private static final Set<String> READS = Set.of("GET", "LIST", "WATCH", "CONNECT");

  static Writes counted(Exposition apiServer) {
    return new Writes(
        count(apiServer, "tokenbucketnodestates", ""),
        count(apiServer, "tokenbucketnodestates", "status"),
        count(apiServer, "tokenbucketpolicies", ""),
        count(apiServer, "tokenbucketpolicies", "status"),
        count(apiServer, "events", ""));
  }

  private static long count(Exposition apiServer, String resource, String subresource) {
    return Math.round(
        apiServer.sum(
            "apiserver_request_total",
            each ->
                each.has("resource", resource)
                    && each.has("subresource", subresource)
                    && READS.stream().noneMatch(verb -> each.has("verb", verb))
                    && succeeded(each)));
  }

  private static boolean succeeded(Sample sample) {
    return sample.has("code", "200") || sample.has("code", "201");
  }

  Writes since(Writes before) {
    return new Writes(
        nodeStates - before.nodeStates,
        nodeStatuses - before.nodeStatuses,
        policies - before.policies,
        policyStatuses - before.policyStatuses,
        events - before.events);
  }

  long all() {
    return nodeStates + nodeStatuses + policies + policyStatuses + events;
  }
}
