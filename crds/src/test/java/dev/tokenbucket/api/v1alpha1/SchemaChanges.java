// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.api.model.apiextensions.v1.ValidationRule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which a schema refuses, or reads differently, an object that an earlier schema took.
 * Pure. New fields, new values and wider limits are no such ways.
 */
final class SchemaChanges {
  private final List<String> found = new ArrayList<>();

  private SchemaChanges() {}

  /**
   * Compares two schemas of one kind.
   *
   * @return one line per incompatible change, with the path of its field; empty if there is none
   */
  static List<String> between(JSONSchemaProps before, JSONSchemaProps after) {
    SchemaChanges changes = new SchemaChanges();
    changes.compare("", before, after);
    return List.copyOf(changes.found);
  }

  private void compare(String path, JSONSchemaProps before, JSONSchemaProps after) {
    same(path, "type", before, after, JSONSchemaProps::getType);
    same(path, "int-or-string", before, after, JSONSchemaProps::getXKubernetesIntOrString);
    same(path, "list type", before, after, JSONSchemaProps::getXKubernetesListType);
    same(path, "map type", before, after, JSONSchemaProps::getXKubernetesMapType);
    same(path, "list map keys", before, after, JSONSchemaProps::getXKubernetesListMapKeys);
    same(path, "default", before, after, JSONSchemaProps::getDefault);
    onlyRemoved(path, "pattern", before, after, JSONSchemaProps::getPattern);
    onlyRemoved(path, "format", before, after, JSONSchemaProps::getFormat);
    notLower(path, "maximum", before.getMaximum(), after.getMaximum());
    notLower(path, "maxLength", before.getMaxLength(), after.getMaxLength());
    notLower(path, "maxItems", before.getMaxItems(), after.getMaxItems());
    notHigher(path, "minimum", before.getMinimum(), after.getMinimum());
    notHigher(path, "minLength", before.getMinLength(), after.getMinLength());
    notHigher(path, "minItems", before.getMinItems(), after.getMinItems());
    compareValues(path, before, after);
    compareFields(path, before, after);
  }

  private void compareValues(String path, JSONSchemaProps before, JSONSchemaProps after) {
    if (!orEmpty(after.getEnum()).isEmpty()) {
      if (orEmpty(before.getEnum()).isEmpty()) {
        add(path, "has an enum now");
      }
      minus(before.getEnum(), after.getEnum())
          .forEach(value -> add(path, "no longer has the value " + value));
    }
    minus(after.getRequired(), before.getRequired())
        .forEach(field -> add(path + "." + field, "is required now"));
    minus(rules(after), rules(before)).forEach(rule -> add(path, "has a new rule: " + rule));
  }

  private void compareFields(String path, JSONSchemaProps before, JSONSchemaProps after) {
    Map<String, JSONSchemaProps> fields = fields(after);
    fields(before)
        .forEach(
            (name, field) -> {
              JSONSchemaProps now = fields.get(name);
              if (now == null) {
                add(path + "." + name, "is gone");
              } else {
                compare(path + "." + name, field, now);
              }
            });
    if (before.getItems() != null && after.getItems() != null) {
      compare(path + "[]", before.getItems().getSchema(), after.getItems().getSchema());
    }
  }

  private static Map<String, JSONSchemaProps> fields(JSONSchemaProps schema) {
    return schema.getProperties() == null ? Map.of() : schema.getProperties();
  }

  private static List<String> rules(JSONSchemaProps schema) {
    return orEmpty(schema.getXKubernetesValidations()).stream()
        .map(ValidationRule::getRule)
        .toList();
  }

  private <T> void same(
      String path,
      String what,
      JSONSchemaProps before,
      JSONSchemaProps after,
      Function<JSONSchemaProps, @Nullable T> value) {
    if (!Objects.equals(value.apply(before), value.apply(after))) {
      add(path, "%s was %s, is %s".formatted(what, value.apply(before), value.apply(after)));
    }
  }

  private void onlyRemoved(
      String path,
      String what,
      JSONSchemaProps before,
      JSONSchemaProps after,
      Function<JSONSchemaProps, @Nullable String> value) {
    if (value.apply(after) != null) {
      same(path, what, before, after, value);
    }
  }

  private void notLower(String path, String what, @Nullable Number before, @Nullable Number after) {
    if (after != null && (before == null || after.doubleValue() < before.doubleValue())) {
      add(path, "%s was %s, is %s".formatted(what, before, after));
    }
  }

  private void notHigher(
      String path, String what, @Nullable Number before, @Nullable Number after) {
    if (after != null && (before == null || after.doubleValue() > before.doubleValue())) {
      add(path, "%s was %s, is %s".formatted(what, before, after));
    }
  }

  private void add(String path, String what) {
    found.add((path.isEmpty() ? "the kind" : path) + " " + what);
  }

  private static <T> Set<T> minus(@Nullable Collection<T> from, @Nullable Collection<T> others) {
    Set<T> rest = new HashSet<>(orEmpty(from));
    rest.removeAll(orEmpty(others));
    return rest;
  }

  private static <T> Collection<T> orEmpty(@Nullable Collection<T> values) {
    return values == null ? List.of() : values;
  }
}
