// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Node states of a later version and of an earlier one. */
class NodeStateReaderTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static ObjectNode entry(String name) throws Exception {
    return (ObjectNode)
        JSON.readTree(
            """
            {"name": "%1$s", "uid": "uid-%1$s", "generation": 2, "direction": "Ingress",
             "interfaces": [{"name": "eth0"}], "priority": 0, "per": "Node", "capacity": 1,
             "ipv4PrefixLength": 32, "ipv6PrefixLength": 128, "unit": "Packets", "rate": 1000,
             "burst": 10, "action": "Drop", "mode": "Enforce"}
            """
                .formatted(name));
  }

  private static ObjectNode spec(ObjectNode... entries) {
    ObjectNode spec = JSON.createObjectNode();
    spec.putArray("policies").addAll(List.of(entries));
    return spec;
  }

  private static NodePolicy understood(String name) throws Exception {
    return NodeStateReader.entry(entry(name));
  }

  private static String message(NodeStateReader.Reading reading, String name) {
    return Objects.requireNonNull(reading.unsupported().get("uid-" + name)).message();
  }

  @Test
  void whatIsUnderstoodIsProgrammedAndTheRestIsSaidOneByOne() throws Exception {
    ObjectNode newField = entry("field");
    ((ObjectNode) newField.putArray("match").addObject()).put("payload", "RST");
    ObjectNode newValue = entry("value").put("action", "Police");
    ObjectNode lacking = entry("lacking");
    lacking.remove("rate");
    NodeStateReader.Reading reading =
        NodeStateReader.read(spec(newField, entry("good"), newValue, lacking), Map.of());

    assertThat(reading.understood()).containsExactly(understood("good"));
    assertThat(reading.unsupported()).hasSize(3);
    assertThat(message(reading, "field"))
        .startsWith("spec.policies[0].match[0].payload: the field is unknown to this agent (")
        .contains("upgrade the agent")
        .endsWith("the policy is not enforced on this node");
    assertThat(message(reading, "value"))
        .startsWith("spec.policies[2].action: the value \"Police\" is unknown to this agent (")
        .contains("), which knows Drop, ");
    assertThat(message(reading, "lacking")).startsWith("spec.policies[3].rate: is missing");
  }

  @Test
  void theGenerationThatWasUnderstoodLastStaysInForceOverARestart(@TempDir Path stateDir)
      throws Exception {
    NodePolicy former = understood("p");
    UnderstoodEntries before = new UnderstoodEntries(stateDir);
    before.keep(List.of(former, understood("gone")));
    before.keep(List.of(former));

    UnderstoodEntries after = new UnderstoodEntries(stateDir);
    assertThat(after.byUid()).containsOnlyKeys("uid-p");
    ObjectNode later = entry("p").put("generation", 3).put("jitter", 5);
    NodeStateReader.Reading reading = NodeStateReader.read(spec(later), after.byUid());
    assertThat(reading.understood()).containsExactly(former);
    assertThat(message(reading, "p"))
        .startsWith("spec.policies[0].jitter: ")
        .endsWith("generation 2 stays in force");

    NodePolicyStatus answer =
        Objects.requireNonNull(
                NodeStateReport.status(
                        new Applied(
                            new DesiredState(
                                7,
                                reading.understood(),
                                List.of(),
                                null,
                                reading.unsupported(),
                                List.of()),
                            Map.of(),
                            List.of(),
                            Repairs.since(Instant.EPOCH)),
                        List.of(),
                        Map.of(),
                        List.of(),
                        Instant.EPOCH)
                    .policies())
            .get(0);
    assertThat(answer.reason()).isEqualTo(Reasons.UNSUPPORTED);
    assertThat(answer.observedGeneration()).isEqualTo(3);
    assertThat(answer.programmed()).isFalse();

    Files.writeString(StateFiles.UNDERSTOOD.in(stateDir), "no JSON");
    assertThat(new UnderstoodEntries(stateDir).byUid()).isEmpty();
  }

  @Test
  void aStateOfAnEarlierOperatorNeedsNoFailsafeAndOneOfALaterMayHaveMore() throws Exception {
    assertThat(NodeStateReader.read(spec(entry("p")), Map.of()).failsafe()).isNull();
    ObjectNode later = spec(entry("p"));
    later.put("epoch", 4);
    later.putObject("failsafe").put("bgpPort", 179).putArray("peers").add("10.0.0.0/24");
    NodeStateReader.Reading reading = NodeStateReader.read(later, Map.of());
    assertThat(reading.understood()).hasSize(1);
    assertThat(Objects.requireNonNull(reading.failsafe()).peers()).containsExactly("10.0.0.0/24");
    assertThat(reading.notes())
        .anyMatch(note -> note.startsWith("spec.epoch is not known"))
        .anyMatch(note -> note.startsWith("spec.failsafe.bgpPort: the field is unknown"));
  }
}
