// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.MatchTerm;
import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.Policies;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirementBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class NodeStatePlannerProperties {
  private static final NodeLimits DEFAULT = NodeLimits.DEFAULT;
  private static final List<String> KEYS = List.of("zone", "role");
  private static final NodeStatePlanner PLANNER = new NodeStatePlanner(EntryFacts.computed());
  private static final List<String> VALUES = List.of("a", "b");

  private record Named(String name, int priority, boolean deleting, LabelSelector selector) {
    TokenBucketPolicy policy() {
      return Policies.named(name)
          .generation(3)
          .priority(priority)
          .deleting(deleting)
          .selector(selector)
          .build();
    }
  }

  @Provide
  Arbitrary<LabelSelector> selectors() {
    Arbitrary<Map<String, String>> labels =
        Arbitraries.maps(Arbitraries.of(KEYS), Arbitraries.of(VALUES)).ofMaxSize(2);
    Arbitrary<List<String>> operators =
        Arbitraries.of("In", "NotIn", "Exists", "DoesNotExist").list().ofMaxSize(2);
    return Combinators.combine(labels, operators, Arbitraries.of(KEYS), Arbitraries.of(VALUES))
        .as(NodeStatePlannerProperties::selector);
  }

  private static LabelSelector selector(
      Map<String, String> labels, List<String> operators, String key, String value) {
    LabelSelectorBuilder builder = new LabelSelectorBuilder().withMatchLabels(labels);
    for (String operator : operators) {
      builder.addToMatchExpressions(
          new LabelSelectorRequirementBuilder()
              .withKey(key)
              .withOperator(operator)
              .withValues(operator.endsWith("In") ? List.of(value) : List.of())
              .build());
    }
    return builder.build();
  }

  @Provide
  Arbitrary<List<Named>> policies() {
    Arbitrary<String> names = Arbitraries.strings().withCharRange('a', 'e').ofLength(2);
    return Combinators.combine(
            names, Arbitraries.integers().between(0, 3), Arbitraries.of(true, false), selectors())
        .as(Named::new)
        .list()
        .uniqueElements(Named::name)
        .ofMaxSize(8);
  }

  @Provide
  Arbitrary<Map<String, String>> nodeLabels() {
    return Arbitraries.maps(Arbitraries.of(KEYS), Arbitraries.of(VALUES)).ofMaxSize(2);
  }

  private static List<PolicyIntent> intents(List<Named> policies) {
    return policies.stream().map(policy -> PolicyIntent.of(policy.policy())).toList();
  }

  @Property
  void theOrderOfThePoliciesDoesNotMatter(
      @ForAll("policies") List<Named> policies,
      @ForAll("nodeLabels") Map<String, String> labels,
      @ForAll Random random) {
    List<Named> shuffled = new ArrayList<>(policies);
    Collections.shuffle(shuffled, random);

    assertThat(PLANNER.planAll(labels, intents(shuffled), List.of(), DEFAULT))
        .isEqualTo(PLANNER.planAll(labels, intents(policies), List.of(), DEFAULT));
  }

  @Property
  void aNodeGetsExactlyThePoliciesThatSelectItByPriorityThenName(
      @ForAll("policies") List<Named> policies, @ForAll("nodeLabels") Map<String, String> labels) {
    List<String> expected =
        policies.stream()
            .filter(policy -> !policy.deleting() && selects(policy.selector(), labels))
            .sorted(Comparator.comparingInt(Named::priority).thenComparing(Named::name))
            .map(Named::name)
            .toList();

    assertThat(PLANNER.planAll(labels, intents(policies), List.of(), DEFAULT).entries())
        .extracting(NodePolicy::name)
        .isEqualTo(expected);
  }

  /** The API's definition of a label selector, computed in another way than the planner's. */
  private static boolean selects(LabelSelector selector, Map<String, String> labels) {
    return labels.entrySet().containsAll(selector.getMatchLabels().entrySet())
        && selector.getMatchExpressions().stream()
            .allMatch(
                expression -> {
                  boolean there = labels.containsKey(expression.getKey());
                  boolean in =
                      there && expression.getValues().contains(labels.get(expression.getKey()));
                  return Set.of("In", "Exists").contains(expression.getOperator())
                      ? (expression.getOperator().equals("In") ? in : there)
                      : (expression.getOperator().equals("NotIn") ? !in : !there);
                });
  }

  @Property
  void aRefusedPolicyKeepsWhatTheNodeHadOfIt(
      @ForAll("policies") List<Named> policies, @ForAll("nodeLabels") Map<String, String> labels) {
    List<NodePolicy> before =
        PLANNER.planAll(labels, intents(policies), List.of(), DEFAULT).entries();
    List<PolicyIntent> refused =
        before.stream()
            .map(entry -> (PolicyIntent) new PolicyIntent.Refused(entry.uid(), "wrong"))
            .toList();

    assertThat(PLANNER.planAll(Map.of(), refused, before, DEFAULT).entries()).isEqualTo(before);
  }

  @Property
  void aPolicyThatIsNotAdmittedStaysAtWhatTheNodeHas(
      @ForAll("policies") List<Named> policies,
      @ForAll("nodeLabels") Map<String, String> labels,
      @ForAll Random random) {
    Set<String> had = someUids(policies, random);
    Set<String> admitted = someUids(policies, random);
    List<NodePolicy> before =
        policies.stream()
            .filter(policy -> had.contains("uid-" + policy.name()))
            .map(policy -> Policies.named(policy.name()).generation(2).entry())
            .toList();
    NodePlan plan = PLANNER.plan(labels, intents(policies), before, DEFAULT, admitted::contains);

    for (Named policy : policies) {
      String uid = "uid-" + policy.name();
      boolean selected = !policy.deleting() && selects(policy.selector(), labels);
      long expected = !selected ? 0 : admitted.contains(uid) ? 3 : had.contains(uid) ? 2 : 0;
      assertThat(
              plan.entries().stream()
                  .filter(entry -> entry.uid().equals(uid))
                  .mapToLong(NodePolicy::generation)
                  .sum())
          .isEqualTo(expected);
    }
  }

  private static Set<String> someUids(List<Named> policies, Random random) {
    return policies.stream()
        .filter(any -> random.nextBoolean())
        .map(policy -> "uid-" + policy.name())
        .collect(Collectors.toSet());
  }

  /** The operator writes JSON, so JSON is compared. */
  @Property
  void anUnrelatedChangeLeavesANodeStateEqualByteByByte(
      @ForAll("policies") List<Named> policies,
      @ForAll("policies") List<Named> others,
      @ForAll("nodeLabels") Map<String, String> labels) {
    List<PolicyIntent> before = intents(policies);
    List<PolicyIntent> after = new ArrayList<>(before);
    others.stream()
        .filter(other -> !selects(other.selector(), labels))
        .map(other -> new Named("z-" + other.name(), other.priority(), false, other.selector()))
        .forEach(other -> after.add(PolicyIntent.of(other.policy())));
    Map<String, String> unrelated = new HashMap<>(labels);
    unrelated.put("kubernetes.io/hostname", "n");
    NodePlan plan = PLANNER.planAll(labels, before, List.of(), DEFAULT);

    assertThat(json(PLANNER.planAll(labels, after, plan.entries(), DEFAULT))).isEqualTo(json(plan));
    assertThat(json(PLANNER.planAll(unrelated, before, plan.entries(), DEFAULT)))
        .isEqualTo(json(plan));
  }

  private static String json(NodePlan plan) {
    return Serialization.asJson(plan.spec(null));
  }

  @Example
  void aSelectorWithAnUnknownOperatorIsRefusedByFieldAndValue() {
    LabelSelector selector = selector(Map.of(), List.of("Near"), "zone", "a");
    TokenBucketPolicy policy = new Named("p", 1, false, selector).policy();

    assertThat(PolicyIntent.of(policy))
        .isEqualTo(
            new PolicyIntent.Refused(
                "uid-p",
                "spec.nodeSelector.matchExpressions[0].operator: Invalid value: \"Near\": not a"
                    + " valid label selector operator"));
  }

  @Example
  void theLastInOrderIsTheOneWithoutRoomAndKeepsWhatTheNodeHas() {
    PolicyIntent first = large("first", 1);
    PolicyIntent second = large("second", 2);
    PolicyIntent third = large("third", 3);
    NodePolicy formerly = Policies.named("third").generation(2).entry();

    NodePlan plan =
        PLANNER.planAll(Map.of(), List.of(third, first, second), List.of(formerly), DEFAULT);

    assertThat(plan.entries())
        .extracting(NodePolicy::name)
        .containsExactly("first", "second", "third");
    assertThat(plan.entries()).extracting(NodePolicy::generation).containsExactly(3L, 3L, 2L);
    assertThat(plan.refusals()).containsOnlyKeys("uid-third");
    assertThat(json(plan).length()).isLessThan(256 * 1024);
  }

  private static PolicyIntent large(String name, int priority) {
    List<String> networks =
        IntStream.range(0, 256).mapToObj(i -> "2001:db8:%x::/64".formatted(i)).toList();
    MatchTerm[] terms =
        IntStream.range(0, 20)
            .mapToObj(
                port ->
                    new MatchTerm(
                        null, networks, null, null, List.of(new IntOrString(1 + port)), null))
            .toArray(MatchTerm[]::new);
    return Policies.named(name).priority(priority).generation(3).match(terms).intent();
  }

  @Example
  void overlapsAreShownInTheOrderInWhichThePoliciesApply() {
    NodePlan plan =
        PLANNER.planAll(
            Map.of(),
            List.of(
                Policies.named("b").priority(2).intent(),
                Policies.named("a").priority(3).intent(),
                Policies.named("c").priority(1).direction(Direction.Egress).intent()),
            List.of(),
            DEFAULT);

    assertThat(plan.overlaps()).containsExactly("b before a");
  }
}
