// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBindingBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Who may write what, tried with real tokens on a real API server under an installation. Extra
 * rights are bound to a service account where RBAC would refuse first, so that it is the admission
 * policy that answers.
 */
abstract class AdmissionRules {
  private static final String STATUS = "{\"status\": {\"observedGeneration\": %d}}";

  private Installation installation;
  private ControlPlane controlPlane;
  private KubernetesClient admin;
  private final Deque<Runnable> undo = new ArrayDeque<>();

  /** What is installed, and where. */
  abstract ControlPlane controlPlane();

  abstract Installation installation();

  @BeforeEach
  void makeTwoNodesAndTheirStates() {
    installation = installation();
    controlPlane = controlPlane();
    admin = controlPlane.client();
    for (String name : List.of("fenced-1", "fenced-2")) {
      var node =
          admin.resource(new NodeBuilder().withNewMetadata().withName(name).endMetadata().build());
      node.create();
      undo.push(node::delete);
      var state = admin.load(stream(nodeState(name)));
      state.create();
      undo.push(state::delete);
    }
  }

  @AfterEach
  void undo() {
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
  }

  @Test
  void anAgentWritesTheStatusOfItsOwnNode() {
    KubernetesClient agent = agentOf("fenced-1");
    patchStatus(agent, "fenced-1", STATUS.formatted(7));
    assertThat(state("fenced-1").getStatus().observedGeneration()).isEqualTo(7);
  }

  @Test
  void anAgentCannotWriteTheStatusOfAnotherNode() {
    KubernetesClient agent = agentOf("fenced-1");
    assertRefused(
        () -> patchStatus(agent, "fenced-2", STATUS.formatted(7)),
        "the node agent of \"fenced-1\" may write the status of tokenbucketnodestate \"fenced-1\""
            + " only, not of \"fenced-2\"");
    assertThat(state("fenced-2").getStatus()).isNull();
  }

  @Test
  void anAgentWhoseTokenNamesNoNodeWritesNothing() {
    KubernetesClient agent = serviceAccount(installation.agent());
    assertRefused(
        () -> patchStatus(agent, "fenced-1", STATUS.formatted(7)),
        "a node agent needs a token that is bound to its node");
  }

  @Test
  void anAgentWritesNothingElseWhateverRolesAreBoundToIt() {
    makeClusterAdministrator(installation.namespace(), installation.agent());
    KubernetesClient agent = agentOf("fenced-1");
    String refusal =
        "a node agent may write the status of its own node's tokenbucketnodestate only";
    assertRefused(
        () ->
            patch(
                agent,
                "fenced-1",
                "{\"spec\": {\"policies\": []}, \"metadata\": {\"labels\": {\"a\": \"b\"}}}"),
        refusal + ", not tokenbucketnodestates \"fenced-1\"");
    assertRefused(
        () -> agent.resources(TokenBucketNodeState.class).withName("fenced-1").delete(), refusal);
    assertRefused(() -> agent.load(stream(nodeState("fenced-3"))).create(), refusal);
    assertRefused(() -> agent.load(stream(policy("p", "{}"))).create(), refusal);
    admin.load(stream(policy("p", "{}"))).create();
    undo.push(() -> admin.load(stream(policy("p", "{}"))).delete());
    assertRefused(
        () ->
            agent
                .resources(TokenBucketPolicy.class)
                .withName("p")
                .subresource("status")
                .patch(PatchContext.of(PatchType.JSON_MERGE), STATUS.formatted(1)),
        refusal + ", not tokenbucketpolicies/status \"p\"");
    assertRefused(() -> agent.resources(TokenBucketPolicy.class).withName("p").delete(), refusal);
  }

  @Test
  void anAgentsStatusWriteLeavesLabelsAnnotationsFinalizersAndOwnersAlone() {
    KubernetesClient agent = agentOf("fenced-1");
    TokenBucketNodeState before = state("fenced-1");
    String metadata =
        """
        {"labels": {"a": "b"}, "annotations": {"a": "b"}, "finalizers": ["example.com/stay"],
         "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "x", "uid": "y"}]}
        """;
    patchStatus(
        agent, "fenced-1", "{\"metadata\": " + metadata + ", \"status\": {\"summary\": \"0/0\"}}");
    TokenBucketNodeState after = state("fenced-1");
    assertThat(after.getStatus().summary()).isEqualTo("0/0");
    assertThat(after.getMetadata().getLabels()).isEqualTo(before.getMetadata().getLabels());
    assertThat(after.getMetadata().getAnnotations())
        .isEqualTo(before.getMetadata().getAnnotations());
    assertThat(after.getMetadata().getFinalizers()).isEmpty();
    assertThat(after.getMetadata().getOwnerReferences()).isEmpty();
    assertThat(after.getSpec()).isEqualTo(before.getSpec());
  }

  @Test
  void othersCannotWriteNodeStatesThoughTheirRolesLetThem() {
    KubernetesClient other = someoneWhoMayWriteOurKinds();
    String refusal = "is written by the tokenbucket operator alone, not by";
    assertRefused(() -> other.load(stream(nodeState("fenced-3"))).create(), refusal);
    assertRefused(() -> patch(other, "fenced-1", "{\"spec\": {\"policies\": null}}"), refusal);
    assertRefused(
        () -> patch(other, "fenced-1", "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}"), refusal);
    assertRefused(
        () -> patch(other, "fenced-1", "{\"metadata\": {\"finalizers\": [\"example.com/stay\"]}}"),
        refusal);
    assertRefused(
        () -> other.resources(TokenBucketNodeState.class).withName("fenced-1").delete(), refusal);
    assertRefused(() -> other.resources(TokenBucketNodeState.class).delete(), refusal);
    assertRefused(
        () -> patchStatus(other, "fenced-1", STATUS.formatted(1)),
        "the status of tokenbucketnodestate \"fenced-1\" is written by the agent of that node"
            + " alone, not by \"system:serviceaccount:default:other\"");
  }

  @Test
  void othersWritePoliciesButNotTheirStatus() {
    KubernetesClient other = someoneWhoMayWriteOurKinds();
    other.load(stream(policy("others", "{}"))).create();
    undo.push(() -> other.resources(TokenBucketPolicy.class).withName("others").delete());
    assertRefused(
        () ->
            other
                .resources(TokenBucketPolicy.class)
                .withName("others")
                .subresource("status")
                .patch(PatchContext.of(PatchType.JSON_MERGE), STATUS.formatted(1)),
        "the status of tokenbucketpolicy \"others\" is written by the tokenbucket operator alone");
  }

  @Test
  void theOperatorWritesNodeStatesButNotTheirStatus() {
    letWriteOurKinds(installation.namespace(), installation.operator());
    KubernetesClient operator = serviceAccount(installation.operator());
    patch(operator, "fenced-1", "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}");
    assertRefused(
        () -> patchStatus(operator, "fenced-1", STATUS.formatted(1)),
        "is written by the agent of that node alone");
    operator.load(stream(nodeState("fenced-3"))).create();
    operator.resources(TokenBucketNodeState.class).withName("fenced-3").delete();
    assertThat(admin.resources(TokenBucketNodeState.class).withName("fenced-3").get()).isNull();
  }

  @Test
  void clusterAdministratorsWriteAll() {
    // The test's administrator is in system:masters; this one has the role cluster-admin.
    makeServiceAccount("deputy");
    makeClusterAdministrator("default", "deputy");
    KubernetesClient deputy = client(controlPlane.serviceAccountKubeconfig("default", "deputy"));
    deputy.load(stream(nodeState("fenced-3"))).create();
    patchStatus(deputy, "fenced-3", STATUS.formatted(1));
    patch(deputy, "fenced-3", "{\"metadata\": {\"labels\": {\"a\": \"b\"}}}");
    deputy.resources(TokenBucketNodeState.class).withName("fenced-3").delete();
    patchStatus(admin, "fenced-1", STATUS.formatted(3));
    assertThat(state("fenced-1").getStatus().observedGeneration()).isEqualTo(3);
  }

  @Test
  void theGarbageCollectorDeletesNodeStatesAndChangesNoSpec() {
    letWriteOurKinds("kube-system", "generic-garbage-collector");
    KubernetesClient collector = impersonating("kube-system", "generic-garbage-collector");
    patch(collector, "fenced-1", "{\"metadata\": {\"ownerReferences\": []}}");
    assertRefused(
        () -> patch(collector, "fenced-1", "{\"spec\": {\"policies\": null}}"),
        "is written by the tokenbucket operator alone");
    collector.resources(TokenBucketNodeState.class).withName("fenced-1").delete();
    assertThat(admin.resources(TokenBucketNodeState.class).withName("fenced-1").get()).isNull();
  }

  @Test
  void aNodeSelectorThatNoApiServerWouldTakeIsRefused() {
    assertSelectorRefused(
        "{matchExpressions: [{key: role, operator: Like, values: [a]}]}",
        "spec.nodeSelector.matchExpressions: Invalid value: \"Like\": operator must be In, NotIn,"
            + " Exists or DoesNotExist");
    assertSelectorRefused(
        "{matchExpressions: [{key: role, operator: In}]}",
        "spec.nodeSelector.matchExpressions: Required value: operator In on key \"role\" needs"
            + " values");
    assertSelectorRefused(
        "{matchExpressions: [{key: role, operator: Exists, values: [a]}]}",
        "spec.nodeSelector.matchExpressions: Forbidden: operator Exists on key \"role\" takes no"
            + " values");
    assertSelectorRefused(
        "{matchLabels: {\"-role\": a}}",
        "spec.nodeSelector: Invalid value: \"-role\": not a label key");
    assertSelectorRefused(
        "{matchExpressions: [{key: a/b/c, operator: Exists}]}",
        "spec.nodeSelector: Invalid value: \"a/b/c\": not a label key");
    assertSelectorRefused(
        "{matchLabels: {role: \"a b\"}}",
        "spec.nodeSelector: Invalid value: \"a b\": not a label value");
    assertSelectorRefused(
        "{matchExpressions: [{key: role, operator: In, values: [a, \"b!\"]}]}",
        "spec.nodeSelector: Invalid value: \"b!\": not a label value");
  }

  @Test
  void everyOperatorOfASelectorPasses() {
    String selector =
        """
        {matchLabels: {example.com/role: edge, empty: ""}, matchExpressions: [
         {key: a, operator: In, values: [x, y]}, {key: b, operator: NotIn, values: [x]},
         {key: example.com/c, operator: Exists}, {key: d, operator: DoesNotExist}]}
        """
            .replace("\n", "");
    admin.load(stream(policy("selected", selector))).create();
    admin.resources(TokenBucketPolicy.class).withName("selected").delete();
  }

  private void assertSelectorRefused(String selector, String message) {
    assertRefused(() -> admin.load(stream(policy("selected", selector))).create(), message);
  }

  private void assertRefused(ThrowingCallable write, String message) {
    assertThatThrownBy(write)
        .isInstanceOfSatisfying(
            KubernetesClientException.class,
            e -> {
              assertThat(e.getMessage())
                  .contains("ValidatingAdmissionPolicy '" + installation.name() + "-");
              assertThat(e.getMessage()).contains(message);
            });
  }

  private TokenBucketNodeState state(String name) {
    return admin.resources(TokenBucketNodeState.class).withName(name).require();
  }

  private static void patch(KubernetesClient client, String name, String patch) {
    client
        .resources(TokenBucketNodeState.class)
        .withName(name)
        .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  private static void patchStatus(KubernetesClient client, String name, String patch) {
    client
        .resources(TokenBucketNodeState.class)
        .withName(name)
        .subresource("status")
        .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
  }

  private KubernetesClient agentOf(String node) {
    return client(
        controlPlane.nodeBoundKubeconfig(installation.namespace(), installation.agent(), node));
  }

  private KubernetesClient serviceAccount(String name) {
    return client(controlPlane.serviceAccountKubeconfig(installation.namespace(), name));
  }

  private KubernetesClient client(Path kubeconfig) {
    try {
      return closing(Config.fromKubeconfig(Files.readString(kubeconfig)));
    } catch (IOException e) {
      throw new StepFailedException("reading " + kubeconfig, e);
    }
  }

  /** The administrator in the name of a service account, such as only a controller manager has. */
  private KubernetesClient impersonating(String namespace, String serviceAccount) {
    Config config = client(controlPlane.kubeconfig()).getConfiguration();
    config.setImpersonateUsername("system:serviceaccount:" + namespace + ":" + serviceAccount);
    return closing(config);
  }

  private KubernetesClient closing(Config config) {
    KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build();
    undo.addLast(client::close);
    return client;
  }

  private KubernetesClient someoneWhoMayWriteOurKinds() {
    makeServiceAccount("other");
    letWriteOurKinds("default", "other");
    return client(controlPlane.serviceAccountKubeconfig("default", "other"));
  }

  private void makeServiceAccount(String name) {
    admin
        .resource(
            new ServiceAccountBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName(name)
                .endMetadata()
                .build())
        .create();
    undo.push(() -> admin.serviceAccounts().inNamespace("default").withName(name).delete());
  }

  private void letWriteOurKinds(String namespace, String serviceAccount) {
    ClusterRole role =
        new ClusterRoleBuilder()
            .withNewMetadata()
            .withName("admission-test")
            .endMetadata()
            .addNewRule()
            .withApiGroups("tokenbucket.dev")
            .withResources("*")
            .withVerbs("*")
            .endRule()
            .build();
    admin.resource(role).serverSideApply();
    undo.push(() -> admin.resource(role).delete());
    bind(namespace, serviceAccount, "admission-test", "tokenbucket.dev", "delete");
  }

  private void makeClusterAdministrator(String namespace, String serviceAccount) {
    bind(namespace, serviceAccount, "cluster-admin", "*", "*");
  }

  private void bind(
      String namespace, String serviceAccount, String role, String group, String verb) {
    ClusterRoleBinding binding =
        new ClusterRoleBindingBuilder()
            .withNewMetadata()
            .withName("admission-test-" + serviceAccount)
            .endMetadata()
            .withNewRoleRef("rbac.authorization.k8s.io", "ClusterRole", role)
            .addNewSubject("", "ServiceAccount", serviceAccount, namespace)
            .build();
    admin.resource(binding).create();
    undo.push(() -> admin.resource(binding).delete());
    SubjectAccessReview review =
        new SubjectAccessReviewBuilder()
            .withNewSpec()
            .withUser("system:serviceaccount:" + namespace + ":" + serviceAccount)
            .withNewResourceAttributes()
            .withGroup(group)
            .withResource(group.equals("*") ? "*" : "tokenbucketnodestates")
            .withVerb(verb)
            .endResourceAttributes()
            .endSpec()
            .build();
    Poll.until(
        "the binding's effect", () -> admin.resource(review).create().getStatus().getAllowed());
  }

  private static InputStream stream(String yaml) {
    return new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8));
  }

  private static String nodeState(String name) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketNodeState
    metadata: {name: %s}
    spec: {policies: []}
    """
        .formatted(name);
  }

  private static String policy(String name, String selector) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec:
      rate: {packetsPerSecond: 1}
      nodeSelector: %s
    """
        .formatted(name, selector);
  }
}
