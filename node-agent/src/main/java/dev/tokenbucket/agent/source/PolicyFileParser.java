// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.agent.source.PolicyFiles.Parsed;
import dev.tokenbucket.agent.source.PolicyFolder.Content;
import dev.tokenbucket.agent.validate.PolicyValidator;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetSpec;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import io.fabric8.kubernetes.api.model.LabelSelector;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the policies and address sets of a YAML file as the API server would, and refuses in its
 * words.
 */
public final class PolicyFileParser {
  private static final String API_VERSION = "tokenbucket.dev/v1alpha1";
  private static final String ADDRESS_SET = "TokenBucketAddressSet";
  private static final Set<String> TOP_LEVEL =
      Set.of("apiVersion", "kind", "metadata", "spec", "status");

  /** Operators that a node without the label matches. */
  private static final Set<String> WITHOUT_LABEL = Set.of("DoesNotExist", "NotIn");

  private final YAMLMapper yaml =
      YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();
  private final PolicyValidator validator;
  private final Taker taker;
  private @Nullable PolicyValidator setValidator;

  /** The receiver of the policies. */
  public enum Taker {
    /** A host without a cluster. It has no labels, and no rollout that could wait. */
    HOST,
    /** The API server. */
    CLUSTER
  }

  public PolicyFileParser(Taker taker) throws IOException {
    this.taker = taker;
    validator = PolicyValidator.ofCrd();
  }

  /** A policy that breaks rules. Each reason names field, value and what is allowed. */
  private static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;
    private final ArrayList<String> reasons;

    RefusedException(List<String> reasons) {
      super(String.join("; ", reasons));
      this.reasons = new ArrayList<>(reasons);
    }
  }

  /**
   * The policies of a file, or all reasons to refuse it.
   *
   * @param before by name, the policies as last read; a policy that differs gets the next
   *     generation
   */
  public Parsed parse(Content content, Map<String, NodePolicy> before) {
    if (content.text().isEmpty()) {
      return Parsed.refused(List.of(content.problem()));
    }
    try {
      return new Parsed(policies(content.text().get(), before), List.of());
    } catch (IOException | RuntimeException e) {
      return Parsed.refused(reasons(e));
    }
  }

  private List<NodePolicy> policies(String text, Map<String, NodePolicy> before)
      throws IOException {
    List<JsonNode> policies = new ArrayList<>();
    FileAddressSets sets = new FileAddressSets();
    try (MappingIterator<JsonNode> documents = yaml.readerFor(JsonNode.class).readValues(text)) {
      while (documents.hasNext()) {
        JsonNode document = documents.next();
        if (document.path("kind").asText().equals(ADDRESS_SET)) {
          addSet(document, sets);
        } else if (!document.isNull() && !document.isMissingNode()) {
          policies.add(document);
        }
      }
    }
    List<NodePolicy> made = new ArrayList<>();
    for (JsonNode document : policies) {
      made.add(policy(document, sets, before));
    }
    return List.copyOf(made);
  }

  private void addSet(JsonNode document, FileAddressSets sets) throws IOException {
    expect(document, "apiVersion", API_VERSION);
    String name = name(document);
    unknownFields(document);
    if (setValidator == null) {
      setValidator = PolicyValidator.ofAddressSets();
    }
    List<String> refusals = setValidator.refusals(document.path("spec"));
    if (!refusals.isEmpty()) {
      throw new RefusedException(
          refusals.stream().map(each -> ADDRESS_SET + " \"" + name + "\": " + each).toList());
    }
    if (!sets.add(
        name, yaml.treeToValue(document.get("spec"), TokenBucketAddressSetSpec.class).cidrs())) {
      throw new IOException(ADDRESS_SET + ": metadata.name: Duplicate value: \"" + name + "\"");
    }
  }

  private static String name(JsonNode document) throws IOException {
    String name = document.path("metadata").path("name").asText();
    if (name.length() > 253 || !name.matches("[a-z0-9]([-.a-z0-9]*[a-z0-9])?")) {
      throw new IOException(
          "metadata.name: Invalid value: \"" + name + "\": must be an RFC 1123 subdomain");
    }
    return name;
  }

  private NodePolicy policy(JsonNode document, FileAddressSets sets, Map<String, NodePolicy> before)
      throws IOException {
    expect(document, "apiVersion", API_VERSION);
    expect(document, "kind", "TokenBucketPolicy");
    String name = name(document);
    unknownFields(document);
    List<String> refusals = validator.refusals(document.path("spec"));
    if (!refusals.isEmpty()) {
      throw new RefusedException(refusals);
    }
    TokenBucketPolicySpec spec =
        yaml.treeToValue(document.get("spec"), TokenBucketPolicySpec.class);
    if (taker == Taker.HOST) {
      refuseWhatNeedsACluster(spec);
      List<String> missing = sets.missing(spec);
      if (!missing.isEmpty()) {
        throw new RefusedException(missing);
      }
    }
    NodePolicy old = before.get(name);
    NodePolicy same = resolve(name, old == null ? 1 : old.generation(), spec, sets);
    return old == null || old.equals(same) ? same : resolve(name, old.generation() + 1, spec, sets);
  }

  private static NodePolicy resolve(
      String name, long generation, TokenBucketPolicySpec spec, FileAddressSets sets) {
    return sets.expand(PolicyResolver.resolve(name, name, generation, spec));
  }

  private static void refuseWhatNeedsACluster(TokenBucketPolicySpec spec) throws IOException {
    if (spec.nodeSelector() != null && !matchesWithoutLabels(spec.nodeSelector())) {
      throw new IOException(
          "spec.nodeSelector: Forbidden: a host without a cluster has no labels; leave"
              + " nodeSelector out with --policies");
    }
    if (spec.expiresAt() != null) {
      throw new IOException(
          "spec.expiresAt: Forbidden: a file of --policies is in force until it is"
              + " deleted; delete the file at that time, for example by a systemd timer");
    }
    if (spec.rollout() != null && Boolean.TRUE.equals(spec.rollout().paused())) {
      throw new IOException(
          "spec.rollout.paused: Forbidden: a file of --policies is in force as soon as"
              + " it is read; do not change the file before the change may take effect");
    }
  }

  private static boolean matchesWithoutLabels(LabelSelector selector) {
    return (selector.getMatchLabels() == null || selector.getMatchLabels().isEmpty())
        && (selector.getMatchExpressions() == null
            || selector.getMatchExpressions().stream()
                .allMatch(each -> WITHOUT_LABEL.contains(each.getOperator())));
  }

  private static void unknownFields(JsonNode document) throws IOException {
    List<String> unknown = new ArrayList<>();
    document
        .fieldNames()
        .forEachRemaining(
            name -> {
              if (!TOP_LEVEL.contains(name)) {
                unknown.add("unknown field \"" + name + "\"");
              }
            });
    if (!unknown.isEmpty()) {
      throw new IOException("strict decoding error: " + String.join(", ", unknown));
    }
  }

  private static void expect(JsonNode document, String field, String value) throws IOException {
    if (!document.path(field).asText().equals(value)) {
      throw new IOException(
          field
              + ": Unsupported value: \""
              + document.path(field).asText()
              + "\": supported values: \""
              + value
              + "\"");
    }
  }

  private static List<String> reasons(Exception e) {
    if (e instanceof RefusedException refused) {
      return refused.reasons;
    }
    String message = String.valueOf(e.getMessage());
    return List.of(message.lines().findFirst().orElse(message));
  }
}
