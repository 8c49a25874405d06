// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.agent.source.Applied;
import dev.tokenbucket.agent.source.NodeStateSource;
import dev.tokenbucket.agent.source.Repairs;
import dev.tokenbucket.agent.source.Wake;
import dev.tokenbucket.api.client.ClusterAccess;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Reasons;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agent and operator beside the next and the previous version, on a real API server with the next
 * version's CRD, which has more fields and more values.
 */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class CompatibilityTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final String ENTRY =
      """
      {name: %1$s, uid: uid-%1$s, generation: %2$d, interfaces: [{name: eth0}], direction: Ingress,
       priority: 0, per: Node, capacity: 1, ipv4PrefixLength: 32, ipv6PrefixLength: 128,
       unit: Packets, rate: 100000, burst: 100000, mode: Enforce, %3$s}
      """;

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;

  @BeforeEach
  void makeTheCrdTheNextVersions(ControlPlane controlPlane) throws IOException {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    CustomResourceDefinition crd = crd();
    Map<String, JSONSchemaProps> fields =
        crd.getSpec().getVersions().get(0).getSchema().getOpenAPIV3Schema().getProperties();
    Map<String, JSONSchemaProps> spec = Objects.requireNonNull(fields.get("spec")).getProperties();
    JSONSchemaProps entry = Objects.requireNonNull(spec.get("policies")).getItems().getSchema();
    entry.getProperties().put("jitter", ofType("integer"));
    JSONSchemaProps action = Objects.requireNonNull(entry.getProperties().get("action"));
    action.getEnum().add(Serialization.jsonMapper().getNodeFactory().textNode("Police"));
    Objects.requireNonNull(spec.get("failsafe")).getProperties().put("bgpPort", ofType("integer"));
    Map<String, JSONSchemaProps> status =
        Objects.requireNonNull(fields.get("status")).getProperties();
    status.put("uptime", ofType("string"));
    Objects.requireNonNull(status.get("policies"))
        .getItems()
        .getSchema()
        .getProperties()
        .put("drops", ofType("integer"));
    cluster.apply(Serialization.asYaml(crd));
    awaitSchema();
  }

  private static JSONSchemaProps ofType(String type) {
    JSONSchemaProps schema = new JSONSchemaProps();
    schema.setType(type);
    return schema;
  }

  private static CustomResourceDefinition crd() throws IOException {
    return Serialization.unmarshal(
        Files.readString(
            Commands.repository().resolve("crds/tokenbucketnodestates.tokenbucket.dev-v1.yml")),
        CustomResourceDefinition.class);
  }

  /** The API server takes a moment to serve another schema. */
  private void awaitSchema() {
    Poll.until(
        "the next version's schema",
        () -> {
          state("schema-probe", ENTRY.formatted("probe", 1, "action: Police, jitter: 5"), "");
          boolean there =
              cluster.kubectl("get", "tbns/schema-probe", "-o", "json").contains("jitter");
          cluster.kubectl("delete", "tbns/schema-probe");
          return there;
        });
  }

  /**
   * Serves an older CRD of node states.
   *
   * @param part spec or status
   * @param fields the fields that the part lacks
   * @param gone a name that the served schema no longer has
   */
  private void serveWithout(String part, List<String> fields, String gone) throws IOException {
    CustomResourceDefinition older = crd();
    Map<String, JSONSchemaProps> parts =
        older.getSpec().getVersions().get(0).getSchema().getOpenAPIV3Schema().getProperties();
    fields.forEach(Objects.requireNonNull(parts.get(part)).getProperties()::remove);
    cluster.apply(Serialization.asYaml(older));
    Poll.until(
        "the older schema",
        () ->
            !cluster
                .kubectl("get", "--raw", "/openapi/v3/apis/tokenbucket.dev/v1alpha1")
                .contains(gone));
  }

  @AfterEach
  void putTheCrdBack() throws IOException {
    cluster.kubectl("delete", "tbns,nodes", "--all", "--timeout=20s");
    cluster.apply(Serialization.asYaml(crd()));
  }

  private void state(String node, String entries, String more) {
    cluster.apply(
        """
        {apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketNodeState, metadata: {name: %s},
         spec: {policies: [%s] %s}}
        """
            .formatted(node, entries, more));
  }

  private GenericKubernetesResource generic(String node) {
    return controlPlane
        .client()
        .genericKubernetesResources("tokenbucket.dev/v1alpha1", "TokenBucketNodeState")
        .withName(node)
        .get();
  }

  private String answer(String node, String policy, String field) {
    List<Map<String, Object>> answers = generic(node).get("status", "policies");
    return answers == null
        ? ""
        : answers.stream()
            .filter(each -> policy.equals(each.get("name")))
            .map(each -> String.valueOf(each.get(field)))
            .findFirst()
            .orElse("");
  }

  @Test
  void anAgentProgramsWhatItUnderstandsOfALaterStateAndSaysTheRest() {
    try (TestNetwork network = TestNetwork.of(1, work)) {
      TestHost host = network.hosts().get(0);
      controlPlane.serve(network.hosts(), Daemon.Lifetime.WITH_PARENT);
      cluster.apply("{apiVersion: v1, kind: Node, metadata: {name: %s}}".formatted(host.name()));
      String drop = "action: Drop";
      state(host.name(), ENTRY.formatted("old", 1, drop) + "," + ENTRY.formatted("p", 1, drop), "");
      try (Daemon agent =
          host.startClusterAgent(
              cluster.agentKubeconfig(host.name()), Daemon.Lifetime.WITH_PARENT)) {
        agent.await("both", SOON, () -> answer(host.name(), "p", "programmed").equals("true"));

        state(
            host.name(),
            ENTRY.formatted("old", 2, drop)
                + ","
                + ENTRY.formatted("p", 2, "action: Drop, jitter: 5")
                + ","
                + ENTRY.formatted("q", 1, "action: Police"),
            ", failsafe: {bgpPort: 179, peers: [10.88.1.0/24]}");
        agent.await(
            "the answer", SOON, () -> answer(host.name(), "p", "reason").equals("Unsupported"));
        agent.await("the other", SOON, () -> answer(host.name(), "old", "generation").equals("2"));
        assertThat(answer(host.name(), "p", "message"))
            .startsWith("spec.policies[1].jitter: the field is unknown")
            .endsWith("generation 1 stays in force");
        assertThat(answer(host.name(), "p", "generation")).isEqualTo("1");
        assertThat(answer(host.name(), "q", "reason")).isEqualTo(Reasons.UNSUPPORTED);
        assertThat(answer(host.name(), "q", "message")).contains("the value \"Police\"");
        assertThat(generic(host.name()).<List<String>>get("status", "exempt"))
            .anyMatch(line -> line.contains("spec.failsafe.bgpPort"))
            .anyMatch(line -> line.contains("kubelet: TCP 10250 with 10.88.1.0/24"));
        assertThat(host.policy("p").path("generation").asLong()).isEqualTo(1);
        assertThat(host.policy("q").isMissingNode()).isTrue();

        state(host.name(), ENTRY.formatted("p", 3, drop), "");
        agent.await("p", SOON, () -> answer(host.name(), "p", "programmed").equals("true"));
      }
    }
  }

  @Test
  void anOperatorWhoseCrdsAreOlderSaysWhatTheyLackAndEnds() throws IOException {
    serveWithout("spec", List.of("failsafe"), "overlayPorts");
    Path log = work.resolve("older.log");
    assertThatThrownBy(
            () -> cluster.startOperator(log, Daemon.Lifetime.WITH_PARENT, Map.of()).close())
        .isInstanceOf(StepFailedException.class);
    assertThat(Files.readString(log))
        .contains("the CRDs of this cluster are older than this operator")
        .contains("Missing fields: TokenBucketNodeState.spec.failsafe")
        .doesNotContain("leading as");
  }

  /**
   * An older CRD drops some fields. The agent does not write the other fields again for that
   * reason.
   */
  @Test
  void anAgentOnOlderCrdsWritesAnUnchangedStatusOnce() throws Exception {
    serveWithout("status", List.of("bootID", "limits", "lastContactTime"), "lastContactTime");
    String node = "older-crds";
    cluster.apply("{apiVersion: v1, kind: Node, metadata: {name: %s}}".formatted(node));
    state(node, ENTRY.formatted("p", 1, "action: Drop"), "");
    try (NodeStateSource source =
        new NodeStateSource(
            ClusterAccess.ofKubeconfig(cluster.agentKubeconfig(node)),
            node,
            work,
            List.of(),
            new Wake())) {
      Poll.until("the node state", () -> source.current().isPresent());
      Applied applied =
          new Applied(
              source.current().orElseThrow(), Map.of(), List.of(), Repairs.since(Instant.EPOCH));
      assertThat(source.report(applied, List.of(), Map.of())).isTrue();
      assertThat(answer(node, "p", "reason")).isEqualTo(Reasons.PENDING);

      Poll.until(
          "a report that writes nothing",
          () -> {
            String before = version(node);
            nextSecond();
            return source.report(applied, List.of(), Map.of()) && version(node).equals(before);
          });
    }
  }

  private String version(String node) {
    return generic(node).getMetadata().getResourceVersion();
  }

  /** Transition times have whole seconds. */
  private static void nextSecond() {
    Instant begin = Instant.now();
    Poll.until("the next second", () -> Instant.now().isAfter(begin.plusSeconds(1)));
  }

  @Test
  void anOperatorOutlivesStatesAndAnswersOfALaterVersion() {
    try (OperatedFleet fleet = new OperatedFleet(controlPlane, "later", 2, work, Map.of())) {
      fleet.apply("p", 100, "{maxConcurrent: 100%, maxFailures: 2}");
      fleet.nodes.awaitProgrammed("p");
      String node = fleet.node(0);
      fleet.agents.silence(node);
      fleet.kubectl(
          "patch",
          "tbns/" + node,
          "--type=json",
          "-p=[{\"op\":\"replace\",\"path\":\"/spec/policies/0/action\",\"value\":\"Police\"},"
              + "{\"op\":\"add\",\"path\":\"/spec/policies/0/jitter\",\"value\":5}]");
      Poll.until(
          "the entry to be put back", () -> fleet.entries(0).get(0).action() == ExceedAction.Drop);
      fleet.kubectl(
          "patch",
          "tbns/" + node,
          "--subresource=status",
          "--type=merge",
          "-p={\"status\":{\"uptime\":\"5m\",\"policies\":[{\"name\":\"p\",\"uid\":\""
              + fleet.policy("p").getMetadata().getUid()
              + "\",\"observedGeneration\":1,\"generation\":0,\"programmed\":false,"
              + "\"reason\":\"Deferred\",\"message\":\"later\",\"interfaces\":[],\"drops\":7}]}}");
      Poll.until(
          "the failure",
          () -> fleet.condition("p", Reasons.DEGRADED).equals("True " + Reasons.NODES_FAILED));
      fleet.restartOperator();
      fleet.agents.speak(node);
      fleet.apply("p", 200, "{maxConcurrent: 100%}");
      fleet.nodes.awaitProgrammed("p");
      assertThat(fleet.entries(1)).extracting("rate").containsExactly(200L);
    }
  }
}
