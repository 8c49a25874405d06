// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A Kubernetes LabelSelector, checked once and then matched against many nodes. Every term of
 * matchLabels and of matchExpressions must hold. An empty selector selects every node.
 */
public final class NodeSelector {
  private final Map<String, String> labels;
  private final List<Requirement> requirements;

  private enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist
  }

  private record Requirement(String key, Operator operator, Set<String> values) {
    boolean holds(Map<String, String> labels) {
      String value = labels.get(key);
      return switch (operator) {
        case In -> value != null && values.contains(value);
        // A node without the label is not in the set: the API's rule.
        case NotIn -> value == null || !values.contains(value);
        case Exists -> value != null;
        case DoesNotExist -> value == null;
      };
    }
  }

  private NodeSelector(Map<String, String> labels, List<Requirement> requirements) {
    this.labels = labels;
    this.requirements = requirements;
  }

  /**
   * Checks a selector, because the CRD's schema accepts any operator.
   *
   * @throws IllegalArgumentException naming field, value and what is allowed
   */
  public static NodeSelector of(@Nullable LabelSelector selector) {
    if (selector == null) {
      return new NodeSelector(Map.of(), List.of());
    }
    List<Requirement> requirements = new ArrayList<>();
    List<LabelSelectorRequirement> expressions = orEmpty(selector.getMatchExpressions());
    for (int i = 0; i < expressions.size(); i++) {
      requirements.add(
          requirement("spec.nodeSelector.matchExpressions[" + i + "]", expressions.get(i)));
    }
    Map<String, String> labels = selector.getMatchLabels();
    return new NodeSelector(labels == null ? Map.of() : Map.copyOf(labels), requirements);
  }

  private static Requirement requirement(String field, LabelSelectorRequirement expression) {
    String key = expression.getKey();
    if (key == null || key.isEmpty()) {
      throw new IllegalArgumentException(field + ".key: Required value");
    }
    Operator operator = operator(field, expression.getOperator());
    Set<String> values = Set.copyOf(orEmpty(expression.getValues()));
    boolean needsValues = operator == Operator.In || operator == Operator.NotIn;
    if (needsValues == values.isEmpty()) {
      throw new IllegalArgumentException(
          field
              + (needsValues
                  ? ".values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
                  : ".values: Forbidden: may not be specified when `operator` is 'Exists' or"
                      + " 'DoesNotExist'"));
    }
    return new Requirement(key, operator, values);
  }

  private static Operator operator(String field, @Nullable String name) {
    for (Operator each : Operator.values()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        field
            + ".operator: Invalid value: \""
            + (name == null ? "" : name)
            + "\": not a valid label selector operator");
  }

  private static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : list;
  }

  /** Whether a node with these labels is selected. */
  public boolean matches(@Nullable Map<String, String> nodeLabels) {
    Map<String, String> there = nodeLabels == null ? Map.of() : nodeLabels;
    return labels.entrySet().stream()
            .allMatch(wanted -> wanted.getValue().equals(there.get(wanted.getKey())))
        && requirements.stream().allMatch(requirement -> requirement.holds(there));
  }
}
