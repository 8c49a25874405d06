package dev.tokenbucket.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Rate;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirementBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class NodeStatePlannerProperties {
  private static final List<String> KEYS = List.of("zone", "role");
  private static final List<String> VALUES = List.of("a", "b");

  private record Named(String name, int priority, boolean deleting, LabelSelector selector) {
    TokenBucketPolicy policy() {
      TokenBucketPolicy policy = new TokenBucketPolicy();
      policy.getMetadata().setName(name);
      policy.getMetadata().setUid("uid-" + name);
      policy.getMetadata().setGeneration(3L);
      if (deleting) {
        policy.getMetadata().setDeletionTimestamp("2026-01-01T00:00:00Z");
      }
      policy.setSpec(
          new TokenBucketPolicySpec(
              selector,
              null,
              null,
              priority,
              null,
              null,
              null,
              null,
              new Rate(Quantity.parse("10"), null, null),
              null,
              null,
              null,
              null));
      return policy;
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

    assertThat(NodeStatePlanner.plan(labels, intents(shuffled), List.of()))
        .isEqualTo(NodeStatePlanner.plan(labels, intents(policies), List.of()));
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

    assertThat(NodeStatePlanner.plan(labels, intents(policies), List.of()))
        .extracting(NodePolicy::name)
        .isEqualTo(expected);
  }

  /** The API's definition of a label selector, told in another way than the planner's. */
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
    List<NodePolicy> before = NodeStatePlanner.plan(labels, intents(policies), List.of());
    List<PolicyIntent> refused =
        before.stream()
            .map(entry -> (PolicyIntent) new PolicyIntent.Refused(entry.uid(), "wrong"))
            .toList();

    assertThat(NodeStatePlanner.plan(Map.of(), refused, before)).isEqualTo(before);
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
}
