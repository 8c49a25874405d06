// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** A limit on traffic, for the nodes and interfaces that it selects. Cluster-scoped. */
@Group("tokenbucket.dev")
@Version("v1alpha1")
@Kind("TokenBucketPolicy")
@Plural("tokenbucketpolicies")
@Singular("tokenbucketpolicy")
@ShortNames("tbp")
@AdditionalPrinterColumn(name = "Rate", jsonPath = ".status.rate")
@AdditionalPrinterColumn(name = "Per", jsonPath = ".spec.bucket.per")
@AdditionalPrinterColumn(name = "Direction", jsonPath = ".spec.direction")
@AdditionalPrinterColumn(name = "Mode", jsonPath = ".spec.mode")
@AdditionalPrinterColumn(name = "Nodes", jsonPath = ".status.nodes.summary")
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(name = "Burst", jsonPath = ".status.burst", priority = 1)
@AdditionalPrinterColumn(name = "Priority", jsonPath = ".spec.priority", priority = 1)
@AdditionalPrinterColumn(name = "Action", jsonPath = ".spec.exceed.action", priority = 1)
@AdditionalPrinterColumn(
    name = "Reason",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason",
    priority = 1)
@AdditionalPrinterColumn(
    name = "Message",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].message",
    priority = 1)
@AdditionalPrinterColumn(
    name = "Age",
    jsonPath = ".metadata.creationTimestamp",
    type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(name = "Status", jsonPath = ".status.summary")
public class TokenBucketPolicy
    extends CustomResource<TokenBucketPolicySpec, TokenBucketPolicyStatus> {
  private static final long serialVersionUID = 1;
}
