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

/**
 * Networks that policies refer to by name, and that somebody else keeps. A change of the set is no
 * change of the policies. Cluster-scoped.
 */
@Group("tokenbucket.dev")
@Version("v1alpha1")
@Kind("TokenBucketAddressSet")
@Plural("tokenbucketaddresssets")
@Singular("tokenbucketaddressset")
@ShortNames("tbas")
@AdditionalPrinterColumn(
    name = "CIDRs",
    jsonPath = ".status.cidrs",
    type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
    name = "Policies",
    jsonPath = ".status.policies",
    type = AdditionalPrinterColumn.Type.INTEGER)
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status")
@AdditionalPrinterColumn(
    name = "Age",
    jsonPath = ".metadata.creationTimestamp",
    type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
    name = "Message",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].message",
    priority = 1)
public class TokenBucketAddressSet
    extends CustomResource<TokenBucketAddressSetSpec, TokenBucketAddressSetStatus> {
  private static final long serialVersionUID = 1;
}
