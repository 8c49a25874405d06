// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the shipped roles let operator and agent do, tried by kubectl with their own tokens. */
@ExtendWith(ControlPlaneExtension.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RbacTest {
  private static final String NAMESPACE = "tokenbucket-system";
  private static final String NODE = "rbac-1";
  private static final String PATCH = "-p={\"metadata\":{\"labels\":{\"rbac\":\"test\"}}}";

  private ControlPlane controlPlane;
  private Cluster cluster;

  @BeforeAll
  void makeWhatIsTried(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    create("{apiVersion: v1, kind: Node, metadata: {name: rbac-1}}");
    create("{apiVersion: v1, kind: Secret, metadata: {name: rbac, namespace: tokenbucket-system}}");
    create(
        "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: rbac, namespace:"
            + " tokenbucket-system}}");
    create(
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketPolicy, metadata: {name: rbac},"
            + " spec: {rate: {packetsPerSecond: 1}, nodeSelector: {matchLabels: {rbac: none}}}}");
    create(
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketAddressSet, metadata: {name:"
            + " rbac}, spec: {cidrs: []}}");
    create(
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketNodeState, metadata: {name:"
            + " rbac-1}, spec: {policies: []}}");
  }

  @AfterAll
  void removeIt() {
    cluster.kubectl(
        "delete", "node/rbac-1", "tbp/rbac", "tbas/rbac", "tbns/rbac-1", "--ignore-not-found");
    cluster.kubectl("delete", "-n", NAMESPACE, "secret/rbac", "lease/rbac");
  }

  static Stream<Arguments> operatorMay() {
    return Stream.of(
        arguments("get tbp rbac"),
        arguments("get tbp"),
        arguments("get tbns"),
        arguments("get tbas"),
        arguments("patch tbas rbac --type=merge --subresource=status -p={\"status\":{}}"),
        arguments("get nodes"),
        arguments("get node " + NODE),
        arguments("patch tbp rbac --type=merge " + PATCH),
        arguments("patch tbp rbac --type=merge --subresource=status -p={\"status\":{}}"),
        arguments("patch tbns " + NODE + " --type=merge " + PATCH),
        arguments("auth can-i create leases -n " + NAMESPACE),
        arguments("auth can-i update leases/tokenbucket-operator -n " + NAMESPACE),
        arguments("get endpointslices -n default"),
        arguments("auth can-i create events -n default"));
  }

  static Stream<Arguments> operatorMayNot() {
    return Stream.of(
        arguments("get secrets -A"),
        arguments("get secret rbac -n " + NAMESPACE),
        arguments("get configmaps -A"),
        arguments("get pods -A"),
        arguments("get serviceaccounts -n " + NAMESPACE),
        arguments("create token tokenbucket-agent -n " + NAMESPACE),
        arguments("patch node " + NODE + " " + PATCH),
        arguments("patch node " + NODE + " --subresource=status -p={\"status\":{}}"),
        arguments("delete node " + NODE),
        arguments("delete tbp rbac"),
        arguments("patch tbas rbac --type=merge " + PATCH),
        arguments("delete tbas rbac"),
        arguments("patch tbns " + NODE + " --type=merge --subresource=status -p={\"status\":{}}"),
        arguments("get lease rbac -n " + NAMESPACE),
        arguments("get leases -n " + NAMESPACE),
        arguments("patch lease rbac -n " + NAMESPACE + " " + PATCH),
        arguments("delete lease rbac -n " + NAMESPACE),
        arguments("get leases -n kube-system"),
        arguments("get endpointslices -n kube-system"),
        arguments("auth can-i create endpointslices -n default"),
        arguments("get events -n default"),
        arguments("auth can-i create events -n " + NAMESPACE),
        arguments("get crds"),
        arguments("get validatingadmissionpolicies"),
        arguments("get clusterroles"));
  }

  static Stream<Arguments> agentMay() {
    return Stream.of(
        arguments("get tbns " + NODE),
        arguments("get tbas rbac"),
        arguments("get tbns --field-selector=metadata.name=" + NODE),
        arguments("patch tbns " + NODE + " --type=merge --subresource=status -p={\"status\":{}}"));
  }

  static Stream<Arguments> agentMayNot() {
    return Stream.of(
        arguments("get secrets -A"),
        arguments("get secret rbac -n " + NAMESPACE),
        arguments("get configmaps -A"),
        arguments("get nodes"),
        arguments("get node " + NODE),
        arguments("get pods -A"),
        arguments("get tbp"),
        arguments("get tbas"),
        arguments("patch tbas rbac --type=merge " + PATCH),
        arguments("get endpointslices -n default"),
        arguments("get leases -n " + NAMESPACE),
        arguments("create token tokenbucket-agent -n " + NAMESPACE),
        arguments("patch tbns " + NODE + " --type=merge " + PATCH),
        arguments("delete tbns " + NODE),
        arguments("delete tbns --all"),
        arguments("patch tbp rbac --type=merge " + PATCH),
        arguments("patch tbp rbac --type=merge --subresource=status -p={\"status\":{}}"),
        arguments("auth can-i create tbns"),
        arguments("auth can-i create events -n default"));
  }

  @ParameterizedTest
  @MethodSource
  void operatorMay(String command) {
    asOperator(command);
  }

  @ParameterizedTest
  @MethodSource
  void operatorMayNot(String command) {
    assertForbidden(() -> asOperator(command));
  }

  @ParameterizedTest
  @MethodSource
  void agentMay(String command) {
    asAgent(command);
  }

  @ParameterizedTest
  @MethodSource
  void agentMayNot(String command) {
    assertForbidden(() -> asAgent(command));
  }

  private static void assertForbidden(ThrowingCallable command) {
    // By RBAC, not by admission: what is refused here never got as far.
    assertThatThrownBy(command)
        .isInstanceOfSatisfying(
            StepFailedException.class,
            e -> assertThat(e.getMessage()).containsPattern(" cannot |\\bno$"));
  }

  private void asOperator(String command) {
    as(cluster.operatorKubeconfig().toString(), command);
  }

  private void asAgent(String command) {
    as(cluster.agentKubeconfig(NODE).toString(), command);
  }

  private void as(String kubeconfig, String command) {
    Commands.run(
        Stream.concat(
                Stream.of(controlPlane.kubectl().get(0), "--kubeconfig=" + kubeconfig),
                Stream.of(command.split(" ")))
            .toList());
  }

  private void create(String manifest) {
    Commands.runWithInput(manifest, controlPlane.kubectl("create", "-f", "-"));
  }
}
