// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.FailedNode;
import dev.tokenbucket.api.v1alpha1.NodeCounts;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Who owns a node state, what is in it, and how a policy leaves it; on a real API server. */
@ExtendWith({RequiresRoot.class, ControlPlaneExtension.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NodeStateTest {
  private static final String AT_ONCE = "{maxConcurrent: 100%}";

  private ControlPlane controlPlane;
  private OperatedFleet fleet;

  @BeforeAll
  void start(ControlPlane controlPlane, @TempDir Path work) {
    this.controlPlane = controlPlane;
    fleet =
        new OperatedFleet(
            controlPlane, "state", 2, work, Map.of("TOKENBUCKET_DELETION_TIMEOUT", "3s"));
  }

  @AfterEach
  void reset() {
    fleet.reset();
  }

  @AfterAll
  void end() {
    fleet.close();
  }

  private void applyAndAwait(String policy, long rate) {
    fleet.apply(policy, rate, AT_ONCE);
    fleet.nodes.awaitProgrammed(policy);
  }

  @Test
  void aForeignEditIsPutBackAndTheNodeOwnsItsState() {
    applyAndAwait("p", 100);
    TokenBucketNodeState before = fleet.state(0);
    assertThat(before.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(
            owner -> {
              assertThat(owner.getKind()).isEqualTo("Node");
              assertThat(owner.getName()).isEqualTo(fleet.node(0));
              assertThat(owner.getUid())
                  .isEqualTo(
                      controlPlane
                          .client()
                          .nodes()
                          .withName(fleet.node(0))
                          .get()
                          .getMetadata()
                          .getUid());
            });
    assertThat(before.getMetadata().getManagedFields())
        .anyMatch(
            entry ->
                entry.getManager().equals("tokenbucket-operator")
                    && entry.getOperation().equals("Apply"));

    String name = "tbns/" + fleet.node(0);
    fleet.kubectl(
        "patch",
        name,
        "--type=json",
        "-p=[{\"op\":\"replace\",\"path\":\"/spec/policies/0/rate\",\"value\":999999}]");
    Poll.until("the rate to be put back", () -> restored(before));
    fleet.kubectl("patch", name, "--type=merge", "-p={\"spec\":{\"policies\":[]}}");
    Poll.until("the entry to be put back", () -> restored(before));
    fleet.kubectl("patch", name, "--type=merge", "-p={\"metadata\":{\"ownerReferences\":[]}}");
    Poll.until("the owner to be put back", () -> restored(before));
    fleet.kubectl("delete", name);
    Poll.until("the node state to be recreated", () -> restored(before));
  }

  private boolean restored(TokenBucketNodeState before) {
    TokenBucketNodeState now = fleet.state(0);
    return now != null
        && before.getSpec().equals(now.getSpec())
        && before.getMetadata().getOwnerReferences().equals(now.getMetadata().getOwnerReferences());
  }

  @Test
  void anEntryThatIsNotAdmittedIsPutBackTooAfterAForeignEdit() {
    applyAndAwait("p", 100);
    fleet.apply("p", 200, "{paused: true}");
    Poll.until(
        "pause", () -> fleet.condition("p", Reasons.PROGRAMMED).equals("False RolloutPaused"));
    TokenBucketNodeState before = fleet.state(0);
    fleet.kubectl(
        "patch",
        "tbns/" + fleet.node(0),
        "--type=json",
        "-p=[{\"op\":\"replace\",\"path\":\"/spec/policies/0/rate\",\"value\":999999}]");
    Poll.until("the former rate to be put back", () -> restored(before));
    assertThat(fleet.entries(0)).extracting(NodePolicy::generation).containsExactly(1L);
  }

  /** No controller manager runs here: what is removed the operator removes. */
  @Test
  void anOrphanIsRemovedAndSoIsOneThatWasThereBeforeTheOperator() {
    applyAndAwait("p", 100);
    controlPlane.client().nodes().withName(fleet.node(1)).delete();
    Poll.until("the orphan to go", () -> !fleet.hasState(1));
    assertThat(fleet.hasState(0)).isTrue();

    TokenBucketNodeState foreign = new TokenBucketNodeState();
    foreign.getMetadata().setName("no-such-node");
    foreign.setSpec(fleet.state(0).getSpec());
    controlPlane.client().resource(foreign).create();
    Poll.until(
        "a node state without a node to go",
        () ->
            controlPlane
                    .client()
                    .resources(TokenBucketNodeState.class)
                    .withName("no-such-node")
                    .get()
                == null);
  }

  @Test
  void anUnrelatedChangeWritesNothingAndACleanRestartNeither() {
    applyAndAwait("p", 100);
    applyAndAwait("other", 100);
    Daemon.pause(Duration.ofSeconds(2));
    String before = versions();
    fleet.nodes.apply(
        "elsewhere", "{nodeSelector: {matchLabels: {fleet: none}}, rate: {packetsPerSecond: 5}}");
    fleet.kubectl("label", "node", fleet.node(0), "unrelated=yes");
    fleet.restartOperator();
    Poll.until(
        "its status",
        () -> fleet.condition("elsewhere", Reasons.PROGRAMMED).equals("False NoNodeSelected"));
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(versions()).isEqualTo(before);
  }

  private String versions() {
    String jsonPath = "jsonpath={range .items[*]}{.metadata.resourceVersion} {end}";
    return fleet.kubectl("get", "tbns", "-o", jsonPath)
        + fleet.kubectl("get", "tbp", "p", "other", "-o", jsonPath);
  }

  @Test
  void overlapsAndTheirOrderAreShownInStatusAndNodeState() {
    fleet.apply("late", "rate: {packetsPerSecond: 10}, priority: 900");
    fleet.apply(
        "early",
        "rate: {packetsPerSecond: 10}, priority: 10, match: [{protocol: UDP, destinationPorts:"
            + " [53]}]");
    fleet.apply("apart", "rate: {packetsPerSecond: 10}, priority: 20, match: [{protocol: TCP}]");
    for (String policy : List.of("late", "early", "apart")) {
      fleet.nodes.awaitProgrammed(policy);
    }
    Poll.until(
        "overlaps",
        () ->
            List.of("after early (priority 10)", "after apart (priority 20)")
                .equals(fleet.policy("late").getStatus().overlaps()));
    assertThat(fleet.policy("early").getStatus().overlaps())
        .containsExactly("before late (priority 900)");
    assertThat(fleet.entries(0))
        .extracting(NodePolicy::name)
        .containsExactly("early", "apart", "late");
    assertThat(fleet.state(0).getSpec().overlaps())
        .containsExactly("early before late", "apart before late");
  }

  @Test
  void aPolicyThatWouldMakeANodeStateTooLargeIsRefusedAndTheOthersStand() {
    for (int i = 1; i <= 3; i++) {
      fleet.apply("large-" + i, large(i));
    }
    Poll.until(
        "refusal",
        () ->
            fleet
                .condition("large-3", Reasons.ACCEPTED)
                .equals("False " + Reasons.NODE_STATE_TOO_LARGE));
    fleet.nodes.awaitProgrammed("large-1");
    fleet.nodes.awaitProgrammed("large-2");
    assertThat(fleet.message("large-3", Reasons.ACCEPTED))
        .contains("state-0000: the node state would be larger than 256 KiB; ");
    assertThat(fleet.entries(0)).extracting(NodePolicy::name).containsExactly("large-1", "large-2");
    assertThat(fleet.kubectl("get", "tbns", fleet.node(0), "-o", "json").replaceAll("\\s+", ""))
        .hasSizeLessThan(256 * 1024);

    fleet.kubectl("delete", "tbp", "large-1", "--timeout=20s");
    fleet.nodes.awaitProgrammed("large-3");
  }

  @Test
  void aNodeIsGivenWhatItsAgentHoldsAndTheLastInOrderIsRefusedThereAlone() {
    fleet.agents.limit(fleet.node(0), new NodeLimits(127, 2, 256));
    applyAndAwait("a", 100);
    applyAndAwait("b", 100);
    fleet.apply("c", 100, AT_ONCE);
    Poll.until(
        "refusal",
        () ->
            fleet.condition("c", Reasons.ACCEPTED).equals("False " + Reasons.NODE_LIMIT_EXCEEDED));
    Poll.until("the other node", () -> fleet.entries(1).size() == 3);
    assertThat(fleet.entries(0)).extracting(NodePolicy::name).containsExactly("a", "b");
    assertThat(fleet.entries(1)).extracting(NodePolicy::name).containsExactly("a", "b", "c");
    Poll.until(
        "counts",
        () -> new NodeCounts(2, 1, 0, 1, 0, "1/2").equals(fleet.policy("c").getStatus().nodes()));
    assertThat(fleet.policy("c").getStatus().failedNodes())
        .containsExactly(
            new FailedNode(
                "state-0000",
                "NodeLimitExceeded",
                "interfaces with a default route Ingress: an interface holds at most 2 policies per"
                    + " direction, and that many come before this one in order; let fewer policies"
                    + " select this node"));
    assertThat(fleet.events("c", fleet.policy("c").getMetadata().getUid()))
        .containsEntry("NodeLimitExceeded", 1);
    for (String other : List.of("a", "b")) {
      assertThat(fleet.condition(other, Reasons.READY)).isEqualTo("True AllNodesProgrammed");
      assertThat(fleet.policy(other).getStatus().failedNodes()).isNull();
    }

    // An upgraded agent holds more; then there is one policy fewer before it.
    fleet.agents.limit(fleet.node(0), new NodeLimits(127, 3, 256));
    fleet.agents.speak(fleet.node(0));
    fleet.nodes.awaitProgrammed("c");
    fleet.agents.limit(fleet.node(0), new NodeLimits(2, 3, 256));
    fleet.agents.speak(fleet.node(0));
    Poll.until("refusal again", () -> fleet.condition("c", Reasons.ACCEPTED).startsWith("False"));
    fleet.kubectl("delete", "tbp", "a", "--timeout=20s");
    fleet.nodes.awaitProgrammed("c");
  }

  /** Some 95 kB as an entry. */
  private static String large(int priority) {
    String networks =
        IntStream.range(0, 256)
            .mapToObj(i -> "\"2001:db8:%x::/64\"".formatted(i))
            .collect(Collectors.joining(","));
    String terms =
        IntStream.rangeClosed(1, 20)
            .mapToObj(
                port -> "{sourceCIDRs: [%s], destinationPorts: [%d]}".formatted(networks, port))
            .collect(Collectors.joining(","));
    return "priority: %d, rate: {packetsPerSecond: 10}, match: [%s]".formatted(priority, terms);
  }

  @Test
  void aDeletionWaitsForAReachableNodeButNotForEverForOneThatIsNotReady() {
    applyAndAwait("p", 100);
    String uid = fleet.policy("p").getMetadata().getUid();
    fleet.agents.silence(fleet.node(0));
    fleet.kubectl("delete", "tbp", "p", "--wait=false");
    Daemon.pause(Duration.ofSeconds(5));
    TokenBucketPolicy held = fleet.policy("p");
    assertThat(held.getMetadata().getFinalizers()).containsExactly("tokenbucket.dev/enforcement");
    assertThat(fleet.events("p", uid)).doesNotContainKey(Reasons.NODES_NOT_AWAITED);

    fleet.setReady(0, false, Instant.now());
    Poll.until("the policy to go", () -> fleet.policy("p") == null);
    assertThat(fleet.events("p", uid)).containsEntry(Reasons.NODES_NOT_AWAITED, 1);
  }

  @Test
  void aDeletionDoesNotWaitForANodeThatIsGone() {
    applyAndAwait("p", 100);
    String uid = fleet.policy("p").getMetadata().getUid();
    fleet.agents.silence(fleet.node(0));
    fleet.kubectl("delete", "tbp", "p", "--wait=false");
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(fleet.policy("p")).isNotNull();

    controlPlane.client().nodes().withName(fleet.node(0)).delete();
    Poll.until("the policy to go", () -> fleet.policy("p") == null);
    assertThat(fleet.events("p", uid)).containsEntry(Reasons.NODES_NOT_AWAITED, 1);
    Poll.until("the orphan to go", () -> !fleet.hasState(0));
  }
}
