// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.MatchTerm;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.operator.Policies;
import io.fabric8.kubernetes.api.model.IntOrString;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A node gets as many policies as its agent can hold, the first in order first. */
class NodeLimitsProperties {
  private static final NodeStatePlanner PLANNER = new NodeStatePlanner(EntryFacts.computed());
  private static final List<String> HOST = List.of("eth0", "eth1", "wlan0");

  private record Asked(
      String name, int priority, Direction direction, String where, int terms, boolean marks) {
    PolicyIntent intent() {
      Policies policy =
          Policies.named(name).priority(priority).direction(direction).interfaces(selector());
      if (marks) {
        policy.markEcn();
      }
      return terms == 0 ? policy.intent() : policy.match(matching(terms)).intent();
    }

    private InterfaceSelector selector() {
      return where.contains("*")
          ? new InterfaceSelector(null, null, where, null)
          : new InterfaceSelector(null, where, null, null);
    }
  }

  private static MatchTerm[] matching(int ports) {
    return IntStream.rangeClosed(1, ports)
        .mapToObj(
            port -> new MatchTerm(null, null, null, null, List.of(new IntOrString(port)), null))
        .toArray(MatchTerm[]::new);
  }

  @Provide
  Arbitrary<List<PolicyIntent>> policies() {
    return Combinators.combine(
            Arbitraries.strings().withCharRange('a', 'e').ofLength(2),
            Arbitraries.integers().between(0, 3),
            Arbitraries.of(Direction.class),
            Arbitraries.of("eth0", "eth1", "eth*", "wlan0"),
            Arbitraries.integers().between(0, 4),
            Arbitraries.of(true, false, false))
        .as(Asked::new)
        .list()
        .uniqueElements(Asked::name)
        .ofMaxSize(14)
        .map(all -> all.stream().map(Asked::intent).toList());
  }

  @Provide
  Arbitrary<NodeLimits> limits() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 9),
            Arbitraries.integers().between(1, 4),
            Arbitraries.integers().between(1, 9))
        .as(NodeLimits::new);
  }

  private static NodePlan plan(List<PolicyIntent> policies, NodeLimits limits) {
    return PLANNER.planAll(Map.of(), policies, List.of(), limits);
  }

  /**
   * The numbers that a host with these interfaces counts, computed in another way than the
   * planner's.
   */
  private static boolean holds(List<NodePolicy> entries, NodeLimits limits) {
    long windows =
        entries.stream().mapToInt(entry -> entry.action().name().equals("MarkECN") ? 2 : 1).sum();
    if (windows > limits.policies()) {
      return false;
    }
    for (Direction direction : Direction.values()) {
      for (String device : HOST) {
        List<NodePolicy> there =
            entries.stream()
                .filter(entry -> entry.direction() == direction)
                .filter(entry -> entry.interfaces().stream().anyMatch(i -> i.selects(device)))
                .toList();
        if (there.size() > limits.policiesPerHook()
            || there.stream().mapToInt(entry -> entry.match().size()).sum()
                > limits.termsPerHook()) {
          return false;
        }
      }
    }
    return true;
  }

  @Property
  void aNodeIsNeverGivenMoreThanItsAgentHolds(
      @ForAll("policies") List<PolicyIntent> policies, @ForAll("limits") NodeLimits limits) {
    assertThat(holds(plan(policies, limits).entries(), limits)).isTrue();
  }

  @Property
  void exactlyThoseAreRefusedThatDoNotFitBesideTheOnesBeforeThem(
      @ForAll("policies") List<PolicyIntent> policies, @ForAll("limits") NodeLimits limits) {
    NodePlan plan = plan(policies, limits);

    assertThat(plan.entries().size() + plan.refusals().size()).isEqualTo(policies.size());
    policies.stream()
        .map(policy -> ((PolicyIntent.Enforced) policy).entry())
        .sorted(Comparator.comparingInt(NodePolicy::priority).thenComparing(NodePolicy::name))
        .forEach(
            policy -> {
              List<NodePolicy> with =
                  new ArrayList<>(
                      plan.entries().stream()
                          .filter(other -> NodePolicy.ORDER.compare(other, policy) < 0)
                          .toList());
              with.add(policy);
              assertThat(plan.refusals().containsKey(policy.uid()))
                  .as(policy.name())
                  .isEqualTo(!holds(with, limits));
            });
  }

  @Property
  void aRefusedPolicyIsNothingToTheOthers(
      @ForAll("policies") List<PolicyIntent> policies, @ForAll("limits") NodeLimits limits) {
    NodePlan plan = plan(policies, limits);
    List<PolicyIntent> others =
        policies.stream().filter(policy -> !plan.refusals().containsKey(policy.uid())).toList();

    assertThat(plan(others, limits))
        .isEqualTo(new NodePlan(plan.entries(), plan.overlaps(), Map.of()));
    assertThat(plan.refusals().values())
        .allMatch(refusal -> refusal.reason().equals(Reasons.NODE_LIMIT_EXCEEDED));
  }

  @Example
  void anAgentThatHasYetToSayHoldsWhatThisVersionDoes() {
    List<PolicyIntent> policies =
        IntStream.range(0, 65)
            .mapToObj(i -> Policies.named("p%02d".formatted(i)).intent())
            .toList();
    NodePlan plan = plan(policies, NodeLimits.DEFAULT);

    assertThat(plan.entries()).hasSize(64);
    assertThat(plan.refusals())
        .containsExactly(
            Map.entry(
                "uid-p64",
                new Refusal(
                    "NodeLimitExceeded",
                    "interfaces with a default route Ingress: an interface holds at most 64"
                        + " policies per direction, and that many come before this one in order;"
                        + " let fewer policies select this node")));
  }
}
