// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.AddressSetContents;
import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicyStatus;
import dev.tokenbucket.operator.Policies;
import dev.tokenbucket.operator.plan.EntryFacts;
import dev.tokenbucket.operator.plan.KnownAddressSets;
import dev.tokenbucket.operator.plan.NodePlan;
import dev.tokenbucket.operator.plan.NodeStatePlanner;
import dev.tokenbucket.operator.plan.PolicyIntent;
import dev.tokenbucket.operator.status.AddressSetStatus;
import dev.tokenbucket.operator.status.PolicyStatusAggregator;
import io.fabric8.kubernetes.api.model.Condition;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/**
 * Address sets that another writer changes and deletes while policies that name them are in force.
 */
class AddressSetsProperties {
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final int NODES = 6;
  private static final int MAX_CONCURRENT = 2;
  private static final int STEPS = 120;
  private static final List<List<String>> CONTENTS =
      List.of(List.of(), List.of("192.0.2.0/24"), List.of("192.0.2.0/24", "2001:db8::/32"));

  private World world = new World();

  private static String node(int index) {
    return "node-" + index;
  }

  private void nodes(int count) {
    IntStream.range(0, count).forEach(i -> world.node(node(i), Map.of(), true));
  }

  private static Policies policy() {
    return Policies.named("p").fromSets("s").rollout(MAX_CONCURRENT, 1, false);
  }

  private void settle() {
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

  private void bringToAnEnd() {
    for (int round = 0; round < 2 * NODES; round++) {
      settle();
      world.nodes.keySet().forEach(name -> world.agent(name, true));
    }
    settle();
  }

  private Set<AddressSetRef> refs() {
    Set<AddressSetRef> refs = new HashSet<>();
    for (String name : world.nodes.keySet()) {
      world.entries(name).forEach(entry -> refs.addAll(AddressSets.refs(entry)));
    }
    return refs;
  }

  private static AddressSetRef ref(List<String> cidrs) {
    return AddressSetContents.of(cidrs).named("s");
  }

  /** Nodes whose agents have yet to act on their node state. */
  private long inFlight() {
    return world.states.values().stream()
        .filter(
            state ->
                state.getStatus() == null
                    || !Objects.equals(
                        state.getStatus().observedGeneration(),
                        state.getMetadata().getGeneration()))
        .count();
  }

  private @Nullable Condition condition(String type) {
    return conditions().stream().filter(c -> c.getType().equals(type)).findFirst().orElse(null);
  }

  private List<Condition> conditions() {
    return Objects.requireNonNull(status(null).conditions());
  }

  private TokenBucketPolicyStatus status(@Nullable TokenBucketPolicyStatus before) {
    return PolicyStatusAggregator.aggregate(world.fleet.report("uid-p").orElseThrow(), before, NOW);
  }

  /** The policy's generation never changes. */
  @Property(tries = 40)
  void aSetsChangeIsRolledOutLikeAChangeOfThePolicy(@ForAll Random random) {
    world = new World();
    nodes(NODES);
    world.policy(policy().build());
    Set<AddressSetRef> known = new HashSet<>();
    for (int step = 0; step < STEPS; step++) {
      String node = node(random.nextInt(NODES));
      switch (random.nextInt(12)) {
        case 0 -> {
          List<String> cidrs = CONTENTS.get(random.nextInt(CONTENTS.size()));
          known.add(ref(cidrs));
          world.addressSet("s", cidrs);
        }
        case 1 -> world.removeAddressSet("s");
        case 2 -> world.restart();
        case 3, 4, 5 -> world.agent(node, true);
        case 6, 7, 8 -> world.deliver();
        default -> {
          if (!world.woken.isEmpty()) {
            world.reconcile(world.woken.first());
          }
        }
      }
      assertThat(known).containsAll(refs());
      assertThat(inFlight()).isLessThanOrEqualTo(MAX_CONCURRENT);
    }

    boolean exists = world.sets.containsKey("s");
    Set<AddressSetRef> before = refs();
    bringToAnEnd();
    if (exists) {
      TokenBucketAddressSet set = Objects.requireNonNull(world.sets.get("s"));
      assertThat(refs()).containsExactly(ref(set.getSpec().cidrs()));
      assertThat(Objects.requireNonNull(condition(Reasons.READY)).getStatus()).isEqualTo("True");
    } else {
      assertThat(known).containsAll(before);
      assertThat(Objects.requireNonNull(condition(Reasons.ACCEPTED)).getReason())
          .isEqualTo(Reasons.ADDRESS_SET_NOT_FOUND);
    }
    int writes = world.writes;
    world.restart();
    settle();
    assertThat(world.writes).as("writes of a successor").isEqualTo(writes);
  }

  @Example
  void aPolicyWhoseSetDoesNotExistIsRefusedAndNoNodeGetsIt() {
    nodes(1);
    world.policy(policy().build());
    settle();

    assertThat(world.states).isEmpty();
    Condition accepted = Objects.requireNonNull(condition(Reasons.ACCEPTED));
    assertThat(accepted.getStatus() + " " + accepted.getReason())
        .isEqualTo("False AddressSetNotFound");
    assertThat(accepted.getMessage())
        .isEqualTo(
            "TokenBucketAddressSet \"s\" does not exist; create it, or take its name out of match"
                + " and exempt");
    assertThat(Objects.requireNonNull(condition(Reasons.STALLED)).getStatus()).isEqualTo("True");

    world.addressSet("s", List.of());
    settle();
    assertThat(refs()).containsExactly(ref(List.of()));
  }

  @Example
  void nodesKeepWhatTheyHaveOfAPolicyWhoseSetIsDeleted() {
    nodes(2);
    world.addressSet("s", CONTENTS.get(2));
    world.policy(policy().build());
    bringToAnEnd();
    List<NodePolicy> before = world.entries(node(0));
    int writes = world.writes;

    world.removeAddressSet("s");
    world.node(node(2), Map.of(), true);
    bringToAnEnd();
    assertThat(world.entries(node(0))).isEqualTo(before);
    assertThat(world.entries(node(2))).isEmpty();
    assertThat(Objects.requireNonNull(condition(Reasons.PROGRAMMED)).getMessage())
        .isEqualTo("not sent to nodes; 2 nodes keep what they have of the policy");

    assertThat(world.writes).isEqualTo(writes);
    world.addressSet("s", CONTENTS.get(2));
    bringToAnEnd();
    assertThat(world.entries(node(0))).isEqualTo(before);
    assertThat(world.entries(node(2))).isEqualTo(before);
  }

  @Example
  void thatARolloutWasCompleteDoesNotHoldForOtherContents() {
    nodes(3);
    world.addressSet("s", CONTENTS.get(1));
    world.policy(policy().build());
    bringToAnEnd();
    TokenBucketPolicyStatus complete = status(null);
    assertThat(complete.completedGeneration()).isEqualTo(1);

    world.addressSet("s", CONTENTS.get(2));
    settle();
    assertThat(inFlight()).isEqualTo(MAX_CONCURRENT);
    assertThat(status(complete).completedGeneration()).isNull();
    assertThat(Objects.requireNonNull(condition(Reasons.READY)).getStatus()).isEqualTo("False");

    // The set has its former contents again: the nodes that had changed go back, and the third one
    // is done.
    world.addressSet("s", CONTENTS.get(1));
    bringToAnEnd();
    assertThat(status(complete).completedGeneration()).isEqualTo(1);
  }

  @Example
  void aPolicyThatHasExpiredEndsWhateverBecameOfItsSet() {
    nodes(1);
    world.policy(policy().expiresAt("2025-01-01T12:00:00Z").build());
    settle();
    assertThat(Objects.requireNonNull(condition(Reasons.READY)).getReason())
        .isEqualTo(Reasons.EXPIRED);
  }

  @Example
  void aSetTellsHowManyNetworksItHasAndWhoNamesIt() {
    world.addressSet("s", List.of("192.0.2.0/24", "192.0.2.0/24"));
    settle();
    assertThat(setMessage()).isEqualTo("1 network; no policy names the set");
    world.policy(policy().build());
    settle();
    assertThat(setMessage()).isEqualTo("1 network; named by p");
    world.addressSet("s", List.of());
    settle();
    assertThat(setMessage()).isEqualTo("the set is empty and contains no address; named by p");
    world.addressSet("s", List.of("192.0.2.1/24", "nonsense"));
    settle();
    assertThat(setMessage()).startsWith("spec.cidrs: Invalid value: \"nonsense\": must be");
    assertThat(Objects.requireNonNull(condition(Reasons.ACCEPTED)).getMessage())
        .startsWith("TokenBucketAddressSet \"s\" is invalid: spec.cidrs");
  }

  private String setMessage() {
    return Objects.requireNonNull(
            AddressSetStatus.of(world.fleet.addressSet("s").orElseThrow(), null, NOW).conditions())
        .get(0)
        .getMessage();
  }

  /** Sets a, b and so on, of 10,000 networks each. */
  private static KnownAddressSets.Found large(String name) {
    return new KnownAddressSets.Present(new AddressSetRef(name, "hash", 10_000));
  }

  @Example
  void aNodeHoldsNoMoreNetworksThanItsAgentHasMemoryFor() {
    NodeStatePlanner planner = new NodeStatePlanner(EntryFacts.computed());
    List<PolicyIntent> policies =
        List.of(
            Policies.named("p1").fromSets("a", "b").intent().with(AddressSetsProperties::large),
            Policies.named("p2").fromSets("b").intent().with(AddressSetsProperties::large),
            Policies.named("p3").fromSets("f").intent().with(AddressSetsProperties::large));
    NodePlan plan = planner.planAll(Map.of(), policies, List.of(), NodeLimits.DEFAULT);

    assertThat(plan.entries()).extracting(NodePolicy::name).containsExactly("p1", "p2");
    assertThat(Objects.requireNonNull(plan.refusals().get("uid-p3")).message())
        .isEqualTo(
            "a node holds at most 20000 networks of address sets, each set counted once; this"
                + " policy and those before it in order name sets of 30000; let fewer policies"
                + " select this node");
  }
}
