// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetSpec;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Address sets on the real API server, kept by another writer. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
class AddressSetTest {
  private static final String AT_ONCE = "{maxConcurrent: 100%}";
  private static final int MOST = TokenBucketAddressSetSpec.MAX_CIDRS;

  @TempDir Path work;
  private OperatedFleet fleet;

  @BeforeEach
  void start(ControlPlane controlPlane) {
    fleet = new OperatedFleet(controlPlane, "sets", 2, work, Map.of());
  }

  @AfterEach
  void end() {
    fleet.kubectl("delete", "tbas", "--all", "--timeout=20s");
    fleet.close();
  }

  /** Writes the set as a second controller does. */
  private String applySet(List<String> cidrs) throws IOException {
    Path file = work.resolve("set.yaml");
    Files.writeString(
        file,
        "{apiVersion: tokenbucket.dev/v1alpha1, kind: TokenBucketAddressSet, metadata: {name:"
            + " feed}, spec: {cidrs: "
            + Serialization.asJson(cidrs)
            + "}}");
    return fleet.kubectl("apply", "--server-side", "--field-manager=feed", "-f", file.toString());
  }

  private static List<String> networks(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "2001:db8:ffff:ffff:ffff:ffff:%x:0/112".formatted(i))
        .toList();
  }

  private void await(String what, BooleanSupplier reached) {
    Poll.until(
        what,
        Duration.ofSeconds(40),
        reached,
        () -> fleet.kubectl("get", "tbp,tbas", "-o", "wide") + asked());
  }

  /** The contents that nodes are asked for. */
  private Set<AddressSetRef> asked() {
    return IntStream.range(0, 2)
        .mapToObj(fleet::entries)
        .flatMap(List::stream)
        .map(AddressSets::refs)
        .flatMap(Set::stream)
        .collect(Collectors.toSet());
  }

  private static Set<AddressSetRef> only(List<String> cidrs) {
    return Set.of(AddressSetContents.of(cidrs).named("feed"));
  }

  @Test
  void aSetsLifeFromMissingToDeletedWithoutANewGenerationOfThePolicy() throws IOException {
    fleet.apply(
        "listed",
        "rate: {packetsPerSecond: 10}, match: [{sourceAddressSets: [feed]}], rollout: " + AT_ONCE);
    await(
        "the policy to be refused",
        () -> fleet.condition("listed", "Accepted").equals("False AddressSetNotFound"));
    assertThat(fleet.message("listed", "Ready"))
        .isEqualTo(
            "TokenBucketAddressSet \"feed\" does not exist; create it, or take its name out of"
                + " match and exempt");
    assertThat(fleet.hasState(0)).isFalse();
    String uid = fleet.policy("listed").getMetadata().getUid();
    assertThat(fleet.events("listed", uid)).containsKey("AddressSetNotFound");

    applySet(networks(MOST));
    await("the policy to be in force", () -> ready().equals("True AllNodesProgrammed"));
    assertThat(asked()).isEqualTo(only(networks(MOST)));
    assertThat(Serialization.asJson(fleet.state(0)).length()).isLessThan(8 * 1024);
    await(
        "the set's status",
        () -> fleet.kubectl("get", "tbas", "feed").matches("(?s).*feed +10000 +1 +True.*"));
    assertThat(fleet.kubectl("get", "tbas", "feed", "-o", "wide"))
        .contains("10000 networks; named by listed");
    assertThat(fleet.kubectl("get", "tbas", "feed", "-o", "json", "--show-managed-fields").length())
        .as("the object with the owners of its fields")
        .isLessThan(MOST * 64);

    applySet(networks(3));
    await("the nodes to be asked for the change", () -> asked().equals(only(networks(3))));
    applySet(List.of());
    await("the nodes to be asked for the empty set", () -> asked().equals(only(List.of())));
    await("the policy to be in force", () -> ready().equals("True AllNodesProgrammed"));

    List<NodePolicy> before = fleet.entries(0);
    fleet.kubectl("delete", "tbas", "feed");
    await("the set to be missed", () -> ready().equals("False AddressSetNotFound"));
    assertThat(fleet.message("listed", "Programmed"))
        .isEqualTo("not sent to nodes; 2 nodes keep what they have of the policy");
    assertThat(fleet.entries(0)).isEqualTo(before);
    assertThat(fleet.policy("listed").getMetadata().getGeneration()).isEqualTo(1);
    assertThat(fleet.policy("listed").getMetadata().getUid()).isEqualTo(uid);

    applySet(List.of());
    await("the policy to be in force again", () -> ready().equals("True AllNodesProgrammed"));
  }

  private String ready() {
    return fleet.condition("listed", "Ready");
  }

  @Test
  void aChangeOfASetWaitsForTheGateAsAChangeOfThePolicyDoes() throws IOException {
    applySet(networks(1));
    fleet.apply(
        "listed",
        "rate: {packetsPerSecond: 10}, exempt: [{destinationAddressSets: [feed]}], rollout:"
            + " {maxConcurrent: 1}");
    await("the policy to be in force", () -> ready().equals("True AllNodesProgrammed"));

    fleet.agents.stick(fleet.node(0));
    fleet.agents.stick(fleet.node(1));
    applySet(networks(2));
    await("the first node to be asked", () -> asked().size() == 2);
    fleet.restartOperator();
    await("the policy to be pending", () -> ready().equals("False Pending"));
    Daemon.pause(Duration.ofSeconds(3));
    assertThat(asked()).as("the second node waits").hasSize(2);
    assertThat(ready()).isEqualTo("False Pending");

    fleet.agents.speak(fleet.node(0));
    fleet.agents.speak(fleet.node(1));
    await("both nodes to be asked", () -> asked().equals(only(networks(2))));
  }

  @Test
  void wrongSetsAreRefusedWithFieldAndValue() {
    assertThatThrownBy(() -> applySet(List.of("192.0.2.0/24", "192.0.2.1/24")))
        .hasMessageContaining("spec.cidrs[1]: Invalid value")
        .hasMessageContaining("must be an IPv4 or IPv6 network whose bits after the prefix length");
    assertThatThrownBy(() -> applySet(networks(MOST + 1)))
        .hasMessageContaining("spec.cidrs: Too many: 10001: must have at most 10000 items");
    assertThatThrownBy(
            () ->
                fleet.apply(
                    "listed", "rate: {packetsPerSecond: 1}, match: [{sourceAddressSets: [Feed]}]"))
        .hasMessageContaining("spec.match[0].sourceAddressSets[0]: Invalid value")
        .hasMessageContaining("must be the name of a TokenBucketAddressSet");
    assertThat(fleet.kubectl("explain", "tbas.spec.cidrs")).contains("IPv4 or IPv6 networks");
  }
}
