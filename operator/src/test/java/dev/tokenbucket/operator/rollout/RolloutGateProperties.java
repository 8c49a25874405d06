// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

class RolloutGateProperties {
  private static RolloutLimits limits(int concurrent, int maxFailures, boolean paused) {
    return new RolloutLimits(
        NodeAmount.nodes(concurrent),
        NodeAmount.nodes(maxFailures),
        Duration.ZERO,
        Duration.ofMinutes(10),
        paused);
  }

  private static RolloutGate gate(RolloutLimits limits, Map<String, NodeStage> stages) {
    RolloutGate gate = new RolloutGate(limits);
    stages.forEach(gate::put);
    return gate;
  }

  private static Map<String, NodeStage> nodes(int count, NodeStage stage) {
    Map<String, NodeStage> nodes = new HashMap<>();
    IntStream.range(0, count).forEach(i -> nodes.put("node-" + (10 + i), stage));
    return nodes;
  }

  @Provide
  Arbitrary<RolloutLimits> limits() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 5),
            Arbitraries.integers().between(0, 3),
            Arbitraries.frequencyOf(
                Tuple.of(4, Arbitraries.just(false)), Tuple.of(1, Arbitraries.just(true))))
        .as(RolloutGateProperties::limits);
  }

  @Provide
  Arbitrary<Map<String, NodeStage>> stages() {
    return Arbitraries.maps(
            Arbitraries.strings().withCharRange('a', 'e').ofLength(2),
            Arbitraries.of(NodeStage.class))
        .ofMaxSize(14);
  }

  @Property
  void theOrderInWhichNodesAreToldDoesNotMatter(
      @ForAll("limits") RolloutLimits limits,
      @ForAll("stages") Map<String, NodeStage> stages,
      @ForAll Random random) {
    List<String> names = new ArrayList<>(stages.keySet());
    Collections.shuffle(names, random);
    RolloutGate shuffled = new RolloutGate(limits);
    names.forEach(name -> shuffled.put(name, Objects.requireNonNull(stages.get(name))));

    assertThat(shuffled.admit()).isEqualTo(gate(limits, stages).admit());
  }

  @Property
  void noNodeIsAdmittedBeyondMaxConcurrentNorWhileHaltedOrPaused(
      @ForAll("limits") RolloutLimits limits, @ForAll("stages") Map<String, NodeStage> stages) {
    RolloutGate gate = gate(limits, stages);
    int before = gate.inFlight();
    Set<String> admitted = gate.admit();

    assertThat(gate.inFlight()).isLessThanOrEqualTo(Math.max(before, limits.concurrent().number()));
    assertThat(admitted)
        .allMatch(
            node ->
                Set.of(NodeStage.UNCHANGED, NodeStage.UNSETTLED, NodeStage.WAITING)
                    .contains(stages.get(node)));
    if (limits.paused() || gate.halted()) {
      assertThat(admitted).allMatch(node -> stages.get(node) == NodeStage.UNCHANGED);
    }
  }

  /** Setting one node touches only that node, and the gate equals a new one. */
  @Property
  void toldStepByStepItKnowsWhatAGateMadeAnewKnows(
      @ForAll("limits") RolloutLimits limits,
      @ForAll("changes") List<Map.Entry<String, NodeStage>> changes) {
    RolloutGate gate = new RolloutGate(limits);
    Map<String, NodeStage> stages = new HashMap<>();
    for (Map.Entry<String, NodeStage> change : changes) {
      gate.put(change.getKey(), change.getValue());
      stages.put(change.getKey(), change.getValue());
      gate.admit();
      RolloutGate fresh = gate(limits, stages);
      if (gate.completed()) {
        fresh.complete();
      }
      for (NodeStage stage : NodeStage.values()) {
        assertThat(gate.count(stage)).isEqualTo(fresh.count(stage));
      }
      assertThat(gate.desired()).isEqualTo(stages.size());
      assertThat(gate.halted()).isEqualTo(fresh.halted());
    }
  }

  @Provide
  Arbitrary<List<Map.Entry<String, NodeStage>>> changes() {
    return Combinators.combine(
            Arbitraries.strings().withCharRange('a', 'f').ofLength(1),
            Arbitraries.of(NodeStage.class))
        .as((name, stage) -> Map.entry(name, stage))
        .list();
  }

  /**
   * Nodes succeed one by one in any order. Every node gets its turn, and never too many change at a
   * time.
   */
  @Property
  void aRolloutWithoutFailuresComesToItsEnd(
      @ForAll Random random, @ForAll("concurrent") int concurrent) {
    Map<String, NodeStage> stages = nodes(12, NodeStage.WAITING);
    RolloutGate gate = gate(limits(concurrent, 0, false), stages);
    TreeSet<String> changing = new TreeSet<>();
    while (gate.count(NodeStage.DONE) < stages.size()) {
      Set<String> admitted = gate.admit();
      admitted.forEach(node -> gate.put(node, NodeStage.CHANGING));
      changing.addAll(admitted);
      assertThat(changing).isNotEmpty().hasSizeLessThanOrEqualTo(concurrent);
      String done = new ArrayList<>(changing).get(random.nextInt(changing.size()));
      changing.remove(done);
      gate.put(done, NodeStage.DONE);
    }
  }

  @Provide
  Arbitrary<Integer> concurrent() {
    return Arbitraries.integers().between(1, 12);
  }

  @Example
  void anAdmittedNodeHoldsItsPlaceUntilItsStageIsAnother() {
    RolloutGate gate = gate(limits(2, 0, false), nodes(4, NodeStage.WAITING));

    assertThat(gate.admit()).containsExactly("node-10", "node-11");
    gate.put("node-00", NodeStage.WAITING);
    assertThat(gate.admit()).isEmpty();
    assertThat(gate.admits("node-11")).isTrue();
    gate.put("node-10", NodeStage.DONE);
    assertThat(gate.admit()).containsExactly("node-00");
  }

  @Example
  void failuresHaltOnlyBeyondTheLimitAndAFailedNodeThatRecoversLetsItGoOn() {
    RolloutGate gate = gate(limits(1, 1, false), nodes(4, NodeStage.WAITING));
    gate.put("node-10", NodeStage.FAILED);
    assertThat(gate.halted()).isFalse();
    assertThat(gate.admit()).containsExactly("node-11");
    gate.put("node-11", NodeStage.FAILED);
    assertThat(gate.halted()).isTrue();
    assertThat(gate.admit()).isEmpty();
    gate.put("node-10", NodeStage.DONE);
    assertThat(gate.admit()).containsExactly("node-12");
  }

  @Example
  void aNodeThatIsLostCountsAsFailedUntilTheRolloutHasComeToItsEnd() {
    RolloutGate gate = gate(limits(1, 0, false), nodes(3, NodeStage.DONE));
    gate.put("node-12", NodeStage.WAITING);
    gate.admit();
    gate.put("node-10", NodeStage.LOST);
    assertThat(gate.halted()).isTrue();
    assertThat(gate.failed()).containsExactly("node-10");
    gate.admit();
    assertThat(gate.admits("node-12")).isFalse();

    gate.put("node-10", NodeStage.DONE);
    gate.put("node-12", NodeStage.DONE);
    gate.admit();
    assertThat(gate.completed()).isTrue();
    gate.put("node-10", NodeStage.LOST);
    assertThat(gate.halted()).isFalse();
    assertThat(gate.failed()).isEmpty();
  }

  @Example
  void aNodeThatSettlesHoldsItsPlaceAndOneWithoutAnAgentNone() {
    Map<String, NodeStage> stages = nodes(2, NodeStage.WAITING);
    stages.put("node-00", NodeStage.SETTLING);
    RolloutGate gate = gate(limits(1, 0, false), stages);
    assertThat(gate.admit()).isEmpty();
    gate.put("node-00", NodeStage.NO_AGENT);
    assertThat(gate.admit()).containsExactly("node-10");
  }

  @Example
  void nodesThatAreNotReadyHoldNoPlace() {
    Map<String, NodeStage> stages = nodes(3, NodeStage.AWAY);
    stages.put("node-90", NodeStage.WAITING);

    assertThat(gate(limits(1, 0, false), stages).admit()).containsExactly("node-90");
  }
}
