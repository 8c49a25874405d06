// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.RequiresRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * From install to uninstall on one cluster of two real nodes, in this order. The agent of n2 is
 * left alone from test 4 to test 11, because it must outlive its token.
 */
@ExtendWith(RequiresRoot.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RealNodesE2E {
  private RealNodes nodes;
  private ClusterNode first;
  private ClusterNode second;
  private ContainerCase.@Nullable ShortLived shortLived;

  @BeforeAll
  void startTheCluster() throws IOException {
    Path target = Files.createDirectories(Path.of("target/e2e").toAbsolutePath());
    nodes = RealNodes.start(Files.createTempDirectory(target, "run-"));
    first = nodes.node(1);
    second = nodes.node(2);
  }

  @BeforeEach
  void removeWhatAFailedCaseLeft() {
    nodes.removePolicies();
  }

  @AfterAll
  void endIt() {
    if (nodes != null) {
      nodes.close();
    }
  }

  @Test
  @Order(1)
  void fromInstallToLimitedTraffic() {
    new InstallCase(nodes).fromInstallToLimitedTraffic();
  }

  @Test
  @Order(2)
  void anUpgradeAndARollbackLeaveNoGapAndRefillNothing() {
    new UpgradeCase(nodes).noGapAndNoRefill();
  }

  @Test
  @Order(3)
  void theAgentHasThreeCapabilitiesAndAReadOnlyRoot() {
    new ContainerCase(nodes).threeCapabilitiesAndAReadOnlyRoot();
  }

  @Test
  @Order(4)
  void agentsGetTokensOfTheShortestLife() {
    shortLived = new ContainerCase(nodes).startWithShortLivedTokens(second);
  }

  @Test
  @Order(5)
  void limitsOutliveTheirAgent() {
    TroubleCase trouble = new TroubleCase(nodes);
    trouble.begin();
    trouble.agentPodDeleted(first);
    trouble.agentKilled(first);
    trouble.agentOutOfMemory(first);
    trouble.end();
  }

  @Test
  @Order(6)
  void limitsOutliveKubeletAndApiServer() {
    TroubleCase trouble = new TroubleCase(nodes);
    trouble.begin();
    trouble.kubeletStoppedAndStarted(first);
    trouble.apiServerAway(first);
    trouble.end();
  }

  @Test
  @Order(7)
  void limitsAreBackAfterAReboot() {
    TroubleCase trouble = new TroubleCase(nodes);
    trouble.begin();
    trouble.nodeRebooted(first);
    trouble.end();
  }

  @Test
  @Order(8)
  void aNodeIsRelabelledRemovedAndAddedAgain() {
    NodeLifeCase life = new NodeLifeCase(nodes);
    life.relabelled(first);
    life.removedAndAddedAgainAfterItsPolicyWasDeleted(first);
  }

  @Test
  @Order(9)
  void theAgentsAccountIsHeldToItsOwnNode() {
    new RightsCase(nodes).theAgentsAccountIsHeldToItsOwnNode(first, second);
  }

  @Test
  @Order(10)
  void whatAnAgentWithSixtyFourPoliciesTakes() {
    new FootprintCase(nodes).sixtyFourPoliciesOnTenInterfaces(first);
  }

  @Test
  @Order(11)
  void theAgentOutlivesItsToken() {
    new ContainerCase(nodes).outlivesItsToken(Objects.requireNonNull(shortLived));
  }

  @Test
  @Order(12)
  void uninstallWithCleanUpLeavesNothing() {
    new UninstallCase(nodes).withCleanUpNothingIsLeft();
  }

  @Test
  @Order(13)
  void uninstallWithoutCleanUpLeavesLimitsUntilTbCleanup() {
    new UninstallCase(nodes).withoutItLimitsStayUntilTheyAreCleanedUp();
  }

  @Test
  @Order(14)
  void everyCommandOfTheInstallGuideWorks() {
    new InstallGuideCase(nodes).everyCommandWorks();
  }
}
