// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.validate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Judges the spec of a policy or an address set as the API server would, from the same CRD: first
 * unknown fields, then the schema, then the CEL rules.
 */
public final class PolicyValidator {
  private static final String POLICIES = "/crds/tokenbucketpolicies.tokenbucket.dev-v1.yml";
  private static final String ADDRESS_SETS = "/crds/tokenbucketaddresssets.tokenbucket.dev-v1.yml";

  /**
   * After these errors the API server evaluates no rules, because they would meet values of the
   * wrong shape.
   */
  private static final Set<String> BLOCKING = Set.of("type", "required", "enum", "maxLength");

  private final ObjectNode schema;
  private final JsonSchema compiled;
  private final Map<JsonNode, CelRule> rules = new HashMap<>();

  private PolicyValidator(ObjectNode schema) {
    this.schema = schema;
    ObjectNode strict = schema.deepCopy();
    plain(strict);
    compileRules(schema);
    this.compiled = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7).getSchema(strict);
  }

  /** A validator of policies for the CRD that this build ships. */
  public static PolicyValidator ofCrd() throws IOException {
    return of(POLICIES);
  }

  /** A validator of address sets for the CRD that this build ships. */
  public static PolicyValidator ofAddressSets() throws IOException {
    return of(ADDRESS_SETS);
  }

  private static PolicyValidator of(String path) throws IOException {
    try (InputStream crd = PolicyValidator.class.getResourceAsStream(path)) {
      if (crd == null) {
        throw new IOException("no " + path + " on the class path");
      }
      JsonNode spec =
          new YAMLMapper()
              .readTree(crd)
              .at("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
      return new PolicyValidator((ObjectNode) spec);
    }
  }

  private void compileRules(JsonNode node) {
    node.path("x-kubernetes-validations").forEach(rule -> rules.computeIfAbsent(rule, CelRule::of));
    node.forEach(this::compileRules);
  }

  /** Turns Kubernetes' dialect into plain JSON Schema in which an unknown field is an error. */
  private static void plain(JsonNode node) {
    if (node instanceof ObjectNode object) {
      if (object.path("x-kubernetes-int-or-string").asBoolean()) {
        object.remove("anyOf");
        ArrayNode types = object.putArray("type");
        types.add("integer").add("string");
      }
      if (object.path("type").asText().equals("object") && object.has("properties")) {
        object.put("additionalProperties", false);
      }
      // These fields are judged separately; the library would log a warning for each.
      object.properties().removeIf(field -> field.getKey().startsWith("x-kubernetes-"));
    }
    node.forEach(PolicyValidator::plain);
  }

  /**
   * All reasons to refuse a spec, each naming field, value and what is allowed; none if the API
   * server would accept it.
   */
  public List<String> refusals(JsonNode spec) {
    if (spec.isMissingNode() || spec.isNull()) {
      return List.of("spec: Required value");
    }
    JsonNode given = asSent(spec.deepCopy());
    List<ValidationMessage> errors =
        compiled.validate(given).stream()
            .sorted(Comparator.comparing(error -> field(error)))
            .toList();
    String unknown =
        errors.stream()
            .filter(error -> error.getType().equals("additionalProperties"))
            .map(error -> "unknown field \"" + field(error) + "." + error.getProperty() + "\"")
            .sorted()
            .collect(Collectors.joining(", "));
    if (!unknown.isEmpty()) {
      return List.of("strict decoding error: " + unknown);
    }
    List<String> refusals =
        new ArrayList<>(errors.stream().flatMap(PolicyValidator::refusals).toList());
    refuseTwice("spec", schema, given, refusals);
    if (errors.stream().noneMatch(error -> BLOCKING.contains(error.getType()))) {
      judge("spec", schema, withDefaults(schema, given), refusals);
    }
    return List.copyOf(refusals);
  }

  /**
   * The spec as the API server receives it. The server drops a null unless the schema asks for one,
   * and a client sends a number such as 2000.0 as 2000.
   */
  private static JsonNode asSent(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.properties().removeIf(field -> field.getValue().isNull());
      object.properties().forEach(field -> field.setValue(wholeWithoutFraction(field.getValue())));
    }
    node.forEach(PolicyValidator::asSent);
    return node;
  }

  private static JsonNode wholeWithoutFraction(JsonNode value) {
    return value.isFloatingPointNumber() && value.canConvertToExactIntegral()
        ? BigIntegerNode.valueOf(value.decimalValue().toBigInteger())
        : value;
  }

  /** Fills in the schema's defaults, as the API server does before it judges. */
  private static JsonNode withDefaults(JsonNode schema, JsonNode value) {
    if (value instanceof ObjectNode object) {
      Iterator<Map.Entry<String, JsonNode>> properties = schema.path("properties").fields();
      while (properties.hasNext()) {
        Map.Entry<String, JsonNode> property = properties.next();
        JsonNode byDefault = property.getValue().path("default");
        if (!object.has(property.getKey()) && !byDefault.isMissingNode()) {
          object.set(property.getKey(), byDefault.deepCopy());
        }
        withDefaults(property.getValue(), object.path(property.getKey()));
      }
    }
    if (value.isArray()) {
      value.forEach(item -> withDefaults(schema.path("items"), item));
    }
    return value;
  }

  private static String field(ValidationMessage error) {
    StringBuilder field = new StringBuilder("spec");
    var path = error.getInstanceLocation();
    for (int i = 0; i < path.getNameCount(); i++) {
      Object element = path.getElement(i);
      if (element instanceof Integer index) {
        field.append('[').append(index).append(']');
      } else {
        field.append('.').append(element);
      }
    }
    return field.toString();
  }

  private static Stream<String> refusals(ValidationMessage error) {
    // To the API server an int-or-string is two schemas, and it reports both.
    return error.getType().equals("type") && error.getSchemaNode().isArray()
        ? Stream.of(
            refusal(error, error.getSchemaNode()), refusal(error, error.getSchemaNode().path(0)))
        : Stream.of(refusal(error, error.getSchemaNode()));
  }

  private static String refusal(ValidationMessage error, JsonNode limit) {
    String field = field(error);
    JsonNode value = error.getInstanceNode();
    String body = field + " in body ";
    return switch (error.getType()) {
      case "required" -> field + "." + error.getProperty() + ": Required value";
      case "type" ->
          "%s: Invalid value: \"%s\": %smust be of type %s: \"%s\""
              .formatted(field, typeOf(value), body, joined(limit, ","), typeOf(value));
      case "enum" ->
          field + ": Unsupported value: " + value + ": supported values: " + quoted(limit);
      case "maxLength" -> field + ": Too long: may not be more than " + limit + " bytes";
      case "minLength" ->
          "%s: Invalid value: %s: %sshould be at least %s chars long"
              .formatted(field, value, body, limit);
      case "maxItems" ->
          field + ": Too many: " + value.size() + ": must have at most " + limit + " items";
      case "minItems" ->
          "%s: Invalid value: %d: %sshould have at least %s items"
              .formatted(field, value.size(), body, limit);
      default -> field + ": Invalid value: " + value + ": " + error.getMessage();
    };
  }

  private static String typeOf(JsonNode value) {
    return value.isIntegralNumber()
        ? "integer"
        : value.getNodeType().name().toLowerCase(Locale.ROOT);
  }

  private static String joined(JsonNode types, String separator) {
    if (!types.isArray()) {
      return types.asText();
    }
    List<String> names = new ArrayList<>();
    types.forEach(type -> names.add(type.asText()));
    return String.join(separator, names);
  }

  private static String quoted(JsonNode values) {
    List<String> texts = new ArrayList<>();
    values.forEach(value -> texts.add(value.toString()));
    return String.join(", ", texts);
  }

  /** Refuses duplicates in a list that is a set. */
  private static void refuseTwice(
      String field, JsonNode schema, JsonNode value, List<String> refusals) {
    if (value.isArray()) {
      Set<JsonNode> seen = new HashSet<>();
      boolean set = schema.path("x-kubernetes-list-type").asText().equals("set");
      for (int i = 0; i < value.size(); i++) {
        String item = field + "[" + i + "]";
        if (set && !seen.add(value.get(i))) {
          refusals.add(item + ": Duplicate value: " + value.get(i));
        }
        refuseTwice(item, schema.path("items"), value.get(i), refusals);
      }
    }
    schema
        .path("properties")
        .fields()
        .forEachRemaining(
            property ->
                refuseTwice(
                    field + "." + property.getKey(),
                    property.getValue(),
                    value.path(property.getKey()),
                    refusals));
  }

  private void judge(String field, JsonNode schema, JsonNode value, List<String> refusals) {
    for (JsonNode each : schema.path("x-kubernetes-validations")) {
      CelRule rule = Objects.requireNonNull(rules.get(each));
      if (!rule.holds(value)) {
        refusals.add(rule.refusal(field, value));
      }
    }
    Iterator<Map.Entry<String, JsonNode>> properties = schema.path("properties").fields();
    while (properties.hasNext()) {
      Map.Entry<String, JsonNode> property = properties.next();
      JsonNode child = value.path(property.getKey());
      if (!child.isMissingNode()) {
        judge(field + "." + property.getKey(), property.getValue(), child, refusals);
      }
    }
    for (int i = 0; value.isArray() && i < value.size(); i++) {
      judge(field + "[" + i + "]", schema.path("items"), value.get(i), refusals);
    }
  }
}
