// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.Policies;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import io.fabric8.kubernetes.api.model.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** The fleet with simulated surroundings: nodes, agents, users, and an operator that dies. */
class FleetProperties {
  private static final int NODES = 8;
  private static final int MAX_CONCURRENT = 2;
  private static final int STEPS = 150;
  private static final NodeStatePlanner PLANNER = new NodeStatePlanner(EntryFacts.computed());

  private static String node(int index) {
    return "node-" + index;
  }

  private static World world() {
    World world = new World();
    IntStream.range(0, NODES).forEach(i -> world.node(node(i), Map.of("zone", "a"), true));
    return world;
  }

  private static Policies policy(String name, long generation, int rate) {
    return Policies.named(name)
        .generation(generation)
        .rate(rate)
        .on("zone", "a")
        .rollout(MAX_CONCURRENT, 1, false);
  }

  private static void settle(World world) {
    boolean busy = true;
    for (int i = 0; busy; i++) {
      assertThat(i).as("rounds until nothing happens any more").isLessThan(1_000);
      busy = world.deliver();
      while (!world.woken.isEmpty()) {
        world.reconcile(world.woken.first());
        busy = true;
      }
    }
  }

  /** All nodes are healthy, and no change is delayed. */
  private static void bringToAnEnd(World world) {
    world.nodes.keySet().forEach(name -> world.node(name, Map.of("zone", "a"), true));
    for (int round = 0; round < 3 * NODES; round++) {
      settle(world);
      world.nodes.keySet().forEach(name -> world.agent(name, true));
    }
    settle(world);
  }

  private static void assertPlanned(World world) {
    List<PolicyIntent> intents = world.policies.values().stream().map(PolicyIntent::of).toList();
    for (Node node : world.nodes.values()) {
      NodePlan plan =
          PLANNER.planAll(node.getMetadata().getLabels(), intents, List.of(), NodeLimits.DEFAULT);
      assertThat(world.entries(node.getMetadata().getName())).isEqualTo(plan.entries());
    }
  }

  private static boolean inFlight(World world, String name, String uid) {
    TokenBucketNodeState state = world.states.get(name);
    NodePolicy given =
        world.entries(name).stream().filter(e -> e.uid().equals(uid)).findFirst().orElse(null);
    if (state == null || given == null || !ready(world, name)) {
      return false;
    }
    NodePolicyStatus answer =
        state.getStatus() == null
            ? null
            : Objects.requireNonNull(state.getStatus().policies()).stream()
                .filter(a -> a.uid().equals(uid))
                .findFirst()
                .orElse(null);
    if (answer == null) {
      return true;
    }
    boolean confirmed = answer.programmed() && answer.generation() == given.generation();
    boolean failed =
        Objects.equals(answer.observedGeneration(), given.generation())
            && Reasons.PROGRAMMING_FAILED.equals(answer.reason());
    return !confirmed && !failed;
  }

  private static boolean ready(World world, String name) {
    return Objects.requireNonNull(world.nodes.get(name)).getStatus().getConditions().stream()
        .allMatch(condition -> condition.getStatus().equals("True"));
  }

  private static long inFlight(World world, String uid) {
    return world.nodes.values().stream()
        .filter(node -> "a".equals(node.getMetadata().getLabels().get("zone")))
        .filter(node -> inFlight(world, node.getMetadata().getName(), uid))
        .count();
  }

  /**
   * Users, nodes and agents act at random, and the operator dies now and then. No write of the
   * operator takes a policy beyond its maxConcurrent. In the end every node has what the planner
   * computes.
   */
  @Property(tries = 60)
  void whateverHappensNeverTooManyNodesAreChangedAtATimeAndItConverges(@ForAll Random random) {
    World world = world();
    long[] generations = {1, 1};
    List<String> names = List.of("p", "q");
    for (int step = 0; step < STEPS; step++) {
      int which = random.nextInt(2);
      String name = names.get(which);
      switch (random.nextInt(12)) {
        case 0 -> {
          int generation = (int) ++generations[which];
          world.policy(policy(name, generation, generation).build());
        }
        case 1 -> world.removePolicy(name);
        case 2 -> world.restart();
        case 3 ->
            world.node(
                node(random.nextInt(NODES)),
                Map.of("zone", random.nextInt(3) == 0 ? "b" : "a"),
                random.nextInt(4) > 0);
        case 4, 5, 6 -> world.agent(node(random.nextInt(NODES)), random.nextInt(5) > 0);
        case 7, 8 -> world.deliver();
        default -> reconcileOne(world, random);
      }
    }
    bringToAnEnd(world);
    assertPlanned(world);
    assertThat(world.fleet.orphans()).isEmpty();
  }

  private static void reconcileOne(World world, Random random) {
    if (world.woken.isEmpty()) {
      return;
    }
    String name = new ArrayList<>(world.woken).get(random.nextInt(world.woken.size()));
    // The operator is judged by the events that it has received; it cannot know the others.
    boolean current = !world.deliver();
    long p = inFlight(world, "uid-p");
    long q = inFlight(world, "uid-q");
    world.reconcile(name);
    if (current) {
      assertThat(inFlight(world, "uid-p")).isLessThanOrEqualTo(Math.max(p, MAX_CONCURRENT));
      assertThat(inFlight(world, "uid-q")).isLessThanOrEqualTo(Math.max(q, MAX_CONCURRENT));
    }
  }

  @Example
  void aHaltedRolloutLeavesUntouchedNodesAtThePreviousGenerationAlsoForASuccessor() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    world.policy(policy("p", 2, 20).build());
    for (int round = 0; round < NODES; round++) {
      settle(world);
      world.nodes.keySet().forEach(name -> world.agent(name, false));
      if (round == 2) {
        world.restart();
      }
    }
    PolicyReport report = world.fleet.report("uid-p").orElseThrow();

    assertThat(report.halted()).isTrue();
    // One more than allowed, and the nodes that were changing by then.
    assertThat(report.counts().failed()).isBetween(2, 1 + MAX_CONCURRENT);
    assertThat(report.counts().held()).isEqualTo(NODES - report.counts().failed());
    assertThat(
            world.nodes.keySet().stream()
                .filter(name -> world.entries(name).get(0).generation() == 1)
                .count())
        .isEqualTo(report.counts().held());
    world.policy(policy("p", 3, 30).build());
    bringToAnEnd(world);
    assertPlanned(world);
  }

  @Example
  void pauseStopsAdmittingAndWhatWasReachedCounts() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    world.policy(policy("p", 2, 20).build());
    settle(world);
    world.nodes.keySet().forEach(name -> world.agent(name, true));
    world.policy(policy("p", 3, 20).rollout(MAX_CONCURRENT, 1, true).build());
    for (int round = 0; round < NODES; round++) {
      settle(world);
      world.nodes.keySet().forEach(name -> world.agent(name, true));
    }
    PolicyReport report = world.fleet.report("uid-p").orElseThrow();

    assertThat(report.counts().programmed()).isGreaterThanOrEqualTo(MAX_CONCURRENT);
    assertThat(report.counts().held()).isEqualTo(NODES - report.counts().programmed()).isPositive();
    world.policy(policy("p", 4, 20).build());
    bringToAnEnd(world);
    assertPlanned(world);
  }

  @Example
  void nodesThatAreNotReadyDoNotBlockAndCatchUp() {
    World world = world();
    world.node(node(0), Map.of("zone", "a"), false);
    world.node(node(1), Map.of("zone", "a"), false);
    world.policy(policy("p", 1, 10).build());
    for (int round = 0; round < NODES; round++) {
      settle(world);
      IntStream.range(2, NODES).forEach(i -> world.agent(node(i), true));
    }
    assertThat(world.fleet.report("uid-p").orElseThrow().counts().programmed())
        .isEqualTo(NODES - 2);
    assertThat(world.fleet.report("uid-p").orElseThrow().counts().away()).isEqualTo(2);
    bringToAnEnd(world);
    assertPlanned(world);
  }

  @Example
  void aChangeCostsOneWriteForEachNodeItTouchesAndARestartNone() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    world.policy(policy("q", 1, 10).on("zone", "b").build());
    bringToAnEnd(world);
    assertThat(world.writes).isEqualTo(NODES);
    world.policy(policy("q", 2, 20).on("zone", "b").build());
    world.restart();
    bringToAnEnd(world);
    assertThat(world.writes).isEqualTo(NODES);
    world.policy(policy("p", 2, 20).build());
    bringToAnEnd(world);
    assertThat(world.writes).isEqualTo(2 * NODES);
  }

  @Example
  void aChangeWakesOnlyWhatItTouches() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    world.policy(policy("q", 1, 10).on("zone", "b").build());
    bringToAnEnd(world);
    world.node(node(3), Map.of("zone", "b"), true);
    while (world.deliver()) {}

    assertThat(world.woken).containsExactly(node(3));
  }

  @Example
  void aForeignEditIsPutBackAlsoOfAnEntryThatIsNotAdmitted() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    world.policy(policy("p", 2, 20).rollout(1, 1, true).build());
    settle(world);
    List<NodePolicy> before = world.entries(node(5));
    assertThat(before.get(0).generation()).isEqualTo(1);
    NodePolicy forged = policy("p", 1, 1_000_000).entry();
    world.tamper(node(5), new TokenBucketNodeStateSpec(List.of(forged), null, null));
    settle(world);
    assertThat(world.entries(node(5))).isEqualTo(before);

    world.tamper(node(5), new TokenBucketNodeStateSpec(List.of(), null, null));
    settle(world);
    assertThat(world.entries(node(5))).isEqualTo(before);
  }

  @Example
  void aClusterThatIsRestoredFromABackupIsFollowedThoughVersionsGoBack() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    World backup = world.backup();
    world.policy(policy("p", 2, 20).build());
    world.node(node(0), Map.of("zone", "b"), true);
    bringToAnEnd(world);

    world.restore(backup);
    settle(world);
    assertThat(world.fleet.report("uid-p").orElseThrow().generation()).isEqualTo(1);
    assertThat(world.fleet.report("uid-p").orElseThrow().counts().programmed()).isEqualTo(NODES);
    world.policy(policy("p", 2, 30).build());
    bringToAnEnd(world);
    assertPlanned(world);
  }

  @Example
  void whatAWatchTellsOfFromBeforeAnOwnWriteIsNotTaken() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    settle(world);
    TokenBucketNodeState old = world.backup().state(node(0));
    world.policy(policy("p", 2, 20).rollout(NODES, 1, false).build());
    while (world.deliver()) {}
    world.reconcile(node(0));

    assertThat(world.fleet.put(old).nodes()).isEmpty();
    assertThat(world.reconcile(node(0))).isFalse();
  }

  @Example
  void policiesOnTheSameTrafficAreReportedToEachOther() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    world.policy(policy("q", 1, 10).priority(1).build());
    world.policy(policy("r", 1, 10).on("zone", "b").build());
    settle(world);

    assertThat(world.fleet.report("uid-p").orElseThrow().overlaps())
        .containsExactly(new PolicyReport.Neighbour("q", 1, true));
    assertThat(world.fleet.report("uid-r").orElseThrow().overlaps()).isEmpty();
  }

  @Example
  void nothingIsComposedBeforeEverythingWasTold() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    Fleet successor = new Fleet();
    world.nodes.values().forEach(successor::put);
    world.states.values().forEach(successor::put);

    assertThat(successor.draft(node(0))).isEmpty();
    assertThat(successor.report("uid-p")).isEmpty();
    assertThat(successor.holders("uid-p")).isEmpty();
    assertThat(successor.orphans()).isEmpty();
  }

  @Example
  void aNodeStateWithoutItsNodeIsAnOrphan() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    world.fleet.removeNode(node(2));

    assertThat(world.fleet.orphans())
        .isEqualTo(Map.of(node(2), world.state(node(2)).getMetadata().getUid()));
    assertThat(world.fleet.report("uid-p").orElseThrow().counts().desired()).isEqualTo(NODES - 1);
  }

  @Example
  void aDeletedPolicyIsDroppedByEveryNodeAtOnce() {
    World world = world();
    world.policy(policy("p", 1, 10).build());
    bringToAnEnd(world);
    TokenBucketPolicy deleting = policy("p", 1, 10).deleting(true).build();
    world.policy(deleting);
    settle(world);

    assertThat(world.nodes.keySet()).allMatch(name -> world.entries(name).isEmpty());
    assertThat(world.fleet.holders("uid-p").orElseThrow().keySet())
        .isEqualTo(Set.copyOf(world.nodes.keySet()));
    world.nodes.keySet().forEach(name -> world.agent(name, true));
    settle(world);
    assertThat(world.fleet.holders("uid-p").orElseThrow()).isEmpty();
    assertThat(world.states).isEmpty();
  }
}
