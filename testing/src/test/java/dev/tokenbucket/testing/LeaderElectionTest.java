// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Two real operators, one lease. */
@ExtendWith(ControlPlaneExtension.class)
class LeaderElectionTest {
  private static final int NODES = 300;

  /** The lease's 10 s, a standby's next look at it (2.2 s), and slack for a busy machine. */
  private static final Duration TAKE_OVER = Duration.ofSeconds(30);

  @TempDir Path work;
  private ControlPlane controlPlane;
  private Cluster cluster;
  private SimulatedNodes fleet;
  private SimulatedAgents agents;
  private Daemon leader;
  private Daemon standby;

  @BeforeEach
  void startTwoReplicas(ControlPlane controlPlane) {
    this.controlPlane = controlPlane;
    cluster = new Cluster(controlPlane);
    fleet = new SimulatedNodes(controlPlane, "elect", NODES);
    agents = SimulatedAgents.start(controlPlane);
    leader = operator("replica-a");
    Poll.until("leader", () -> "replica-a".equals(holder()));
    standby = operator("replica-b");
    fleet.apply("elected", 100);
    fleet.awaitProgrammed("elected");
  }

  @AfterEach
  void end() {
    fleet.close();
    leader.close();
    standby.close();
    agents.close();
  }

  @Test
  void whenTheLeaderIsKilledTheOtherGoesOn() {
    leader.kill();
    fleet.apply("elected", 200);
    Poll.until("take-over", TAKE_OVER, () -> rates().equals(Map.of(200L, NODES)));
    assertThat(holder()).isEqualTo("replica-b");
    assertThat(standby.log()).contains("leading as replica-b");
  }

  @Test
  void aLeaderThatEndsHandsTheLeaseOver() {
    leader.close();
    assertThat(holder()).isIn("", "replica-b");
    Poll.until("hand-over", Duration.ofSeconds(8), () -> "replica-b".equals(holder()));
  }

  @Test
  void aLeaderThatWasStoppedWritesNothingWhenItWakesAndEnds() throws IOException {
    long pid = leader.pid();
    // It is stopped in the middle of a change, with writes queued that are wrong by the time it
    // wakes.
    fleet.apply("elected", 300);
    Poll.until("first write", () -> rates().containsKey(300L));
    Commands.run("kill", "-STOP", String.valueOf(pid));
    assertThat(rates().get(100L)).as("nodes that the leader had still to write").isPositive();
    Poll.until("take-over", TAKE_OVER, () -> "replica-b".equals(holder()));
    fleet.apply("elected", 400);
    Poll.until("the other's writes", TAKE_OVER, () -> rates().equals(Map.of(400L, NODES)));
    fleet.awaitProgrammed("elected");
    String before = versions();

    Commands.run("kill", "-CONT", String.valueOf(pid));
    Poll.until("its end", () -> ProcessHandle.of(pid).isEmpty());
    assertThat(leader.log()).contains("this replica ends now, so that it writes nothing more");
    Daemon.pause(Duration.ofSeconds(2));
    assertThat(versions()).isEqualTo(before);
    assertThat(rates()).isEqualTo(Map.of(400L, NODES));
  }

  private Daemon operator(String identity) {
    return cluster.startOperator(
        work.resolve(identity + ".log"), Daemon.Lifetime.WITH_PARENT, Map.of("POD_NAME", identity));
  }

  private String holder() {
    Lease lease =
        controlPlane
            .client()
            .leases()
            .inNamespace("tokenbucket-system")
            .withName("tokenbucket-operator")
            .get();
    return lease == null || lease.getSpec().getHolderIdentity() == null
        ? ""
        : lease.getSpec().getHolderIdentity();
  }

  /** How many nodes are to enforce which rate. */
  private Map<Long, Integer> rates() {
    return fleet.states().stream()
        .flatMap(state -> state.getSpec().policies().stream())
        .collect(Collectors.toMap(NodePolicy::rate, each -> 1, Integer::sum));
  }

  private String versions() {
    return controlPlane.client().resources(TokenBucketPolicy.class).list().getItems().stream()
            .map(each -> each.getMetadata().getResourceVersion())
            .toList()
        + fleet.states().stream()
            .map(each -> each.getMetadata().getResourceVersion())
            .toList()
            .toString();
  }
}
