// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The table of states in docs/reference/conditions.md, row by row. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class ReadinessTest {
  private static final Path PAGE = Path.of("../docs/reference/conditions.md");
  private static final String POLICY = "waited";
  private static final String AT_ONCE = "{maxConcurrent: 100%, maxFailures: 1}";

  @TempDir Path work;
  private OperatedFleet fleet;

  @BeforeEach
  void start(ControlPlane controlPlane) {
    fleet =
        new OperatedFleet(controlPlane, "ready", 3, work, Map.of("TOKENBUCKET_AGENT_START", "3s"));
  }

  @AfterEach
  void end() {
    fleet.close();
  }

  /** Waits until the policy is as the page has it in the row of this state. */
  private void await(String state) {
    String expected = row(state);
    Poll.until(
        state, Duration.ofSeconds(30), () -> actual().equals(expected), () -> actual() + there());
  }

  private static String row(String state) {
    try (Stream<String> lines = Files.lines(PAGE)) {
      return lines
          .filter(line -> line.startsWith("| " + state + " |"))
          .map(line -> line.substring(state.length() + 4).replaceAll("[`\\s]", ""))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private JsonNode there() {
    return Serialization.unmarshal(
        fleet.kubectl("get", "tbp", POLICY, "-o", "json"), JsonNode.class);
  }

  private String actual() {
    JsonNode policy = there();
    List<JsonNode> conditions =
        StreamSupport.stream(policy.at("/status/conditions").spliterator(), false).toList();
    String ready =
        conditions.stream()
            .filter(each -> each.at("/type").asText().equals("Ready"))
            .map(each -> each.at("/status").asText() + "|" + each.at("/reason").asText())
            .findFirst()
            .orElse("absent|");
    String marked =
        conditions.stream()
            .filter(each -> List.of("Reconciling", "Stalled").contains(each.at("/type").asText()))
            .map(each -> each.at("/type").asText())
            .collect(Collectors.joining());
    return ready + "|" + marked + "|" + Kstatus.of(policy) + "|";
  }

  private void assertNothingToWaitFor() {
    assertThat(fleet.kubectl("wait", "--for=condition=Ready", "--timeout=5s", "tbp/" + POLICY))
        .contains("condition met");
  }

  @Test
  void eachStateIsAsTheReferenceHasItAndConditionsAreWhole() {
    fleet.killOperator();
    fleet.apply(POLICY, 100, AT_ONCE);
    await("not seen by the operator yet");
    fleet.nodes.names().forEach(fleet.agents::silence);
    fleet.restartOperator();
    await("on its way");
    await("in force where it can be, and some nodes have no agent");
    fleet.nodes.names().forEach(fleet.agents::speak);
    await("in force");
    assertNothingToWaitFor();
    there()
        .at("/status/conditions")
        .forEach(
            each ->
                assertThat(each.fieldNames())
                    .toIterable()
                    .contains("reason", "message", "lastTransitionTime", "observedGeneration"));

    fleet.apply(POLICY, 200, "{paused: true}");
    await("paused");
    fleet.agents.fail(fleet.node(0), "no eth7");
    fleet.apply(POLICY, 200, AT_ONCE);
    await("in force where it can be, and some nodes failed");
    fleet.apply(POLICY, 300, "{maxConcurrent: 1, maxFailures: 0}");
    await("halted");
    fleet.agents.recover(fleet.node(0));
    await("in force");

    fleet.agents.boot(fleet.node(1), "boot-1");
    fleet.agents.speak(fleet.node(1));
    fleet.setBoot(1, "boot-2");
    await("in force, and a node reboots or its agent falls silent");
    fleet.agents.boot(fleet.node(1), "boot-2");
    fleet.agents.speak(fleet.node(1));
    await("in force");

    fleet.nodes.apply(
        POLICY, "{nodeSelector: {matchLabels: {fleet: none}}, rate: {packetsPerSecond: 5}}");
    await("without a node to select");
    assertNothingToWaitFor();
    fleet.apply(POLICY, "rate: {packetsPerSecond: 5}, expiresAt: '2026-01-01T00:00:00Z'");
    await("expired");
    assertNothingToWaitFor();
  }

  @Test
  void columnsHaveTheUnitsThatAPersonWrites() {
    fleet.nodes.apply(
        POLICY,
        "{nodeSelector: {matchLabels: {fleet: ready}}, rate: {bitsPerSecond: 2M},"
            + " rollout: {maxConcurrent: 100%}}");
    await("in force");
    assertThat(fleet.kubectl("get", "tbp", POLICY).lines().toList().get(1))
        .matches("waited +2 Mbit/s +Node +Ingress +Enforce +3/3 +True +\\d+s +in force *");
    assertThat(fleet.kubectl("get", "tbp", POLICY, "-o", "wide")).contains(" 25000 bytes ");
    fleet.apply(POLICY, 1500, AT_ONCE);
    await("in force");
    assertThat(fleet.kubectl("get", "tbp", POLICY)).contains(" 1.5k packets/s ");
    fleet.apply(POLICY, "rate: {connections: 6, per: Minute}, rollout: {maxConcurrent: 100%}");
    await("in force");
    assertThat(fleet.kubectl("get", "tbp", POLICY, "-o", "wide"))
        .contains(" 6 connections/min ", " 6 connections ");
    assertThat(fleet.entries(0))
        .extracting(NodePolicy::rate, NodePolicy::ratePeriod)
        .containsExactly(tuple(6L, RatePeriod.Minute));
    assertThat(
            fleet.kubectl(
                "get", "tbns", fleet.node(0), "-o", "jsonpath={.status.policies[*].rate}"))
        .contains("6 connections/min");
  }
}
