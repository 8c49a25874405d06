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
 * The policies that one node should run, and those that it runs. Named after the node and owned by
 * it. Cluster-scoped.
 */
@Group("tokenbucket.dev")
@Version("v1alpha1")
@Kind("TokenBucketNodeState")
@Plural("tokenbucketnodestates")
@Singular("tokenbucketnodestate")
@ShortNames("tbns")
@AdditionalPrinterColumn(name = "Programmed", jsonPath = ".status.summary")
@AdditionalPrinterColumn(
    name = "Contact",
    jsonPath = ".status.lastContactTime",
    type = AdditionalPrinterColumn.Type.DATE)
@AdditionalPrinterColumn(
    name = "Age",
    jsonPath = ".metadata.creationTimestamp",
    type = AdditionalPrinterColumn.Type.DATE)
public class TokenBucketNodeState
    extends CustomResource<TokenBucketNodeStateSpec, TokenBucketNodeStateStatus> {
  private static final long serialVersionUID = 1;
}
