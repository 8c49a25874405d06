// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import dev.tokenbucket.api.BuildVersion;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads a node state of any version. It returns the entries that this version understands, and says
 * what it does not understand about the others. An unknown field or value may be a condition that
 * narrows a limit, so the reader never guesses at such an entry.
 */
public final class NodeStateReader {
  /** An entry without one of these fields cannot be programmed. */
  private static final List<String> REQUIRED =
      List.of("direction", "per", "unit", "rate", "burst", "action", "mode");

  private static final Set<String> KNOWN = Set.of("policies", "overlaps", "failsafe");
  private static final ObjectMapper STRICT =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
  private static final ObjectMapper LENIENT =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private NodeStateReader() {}

  /**
   * What a node state asks for.
   *
   * @param understood the entries in the order in which they apply; an entry that is not understood
   *     is represented by its last understood generation, if there is one
   * @param unsupported by uid, what is not understood about an entry
   * @param failsafe the part of the failsafe that is understood
   * @param notes what else is not understood, one line each
   */
  record Reading(
      List<NodePolicy> understood,
      Map<String, DesiredState.Unsupported> unsupported,
      @Nullable NodeFailsafe failsafe,
      List<String> notes) {}

  /**
   * Reads a node state.
   *
   * @param spec the node state's spec
   * @param former by uid, the last understood entry of each policy
   */
  static Reading read(JsonNode spec, Map<String, NodePolicy> former) {
    List<NodePolicy> understood = new ArrayList<>();
    Map<String, DesiredState.Unsupported> unsupported = new LinkedHashMap<>();
    JsonNode entries = spec.path("policies");
    for (int i = 0; i < entries.size(); i++) {
      JsonNode entry = entries.get(i);
      try {
        understood.add(entry(entry));
      } catch (JsonProcessingException e) {
        String uid = entry.path("uid").asText();
        NodePolicy kept = former.get(uid);
        unsupported.put(
            uid,
            new DesiredState.Unsupported(
                entry.path("name").asText(),
                entry.path("generation").asLong(),
                why("spec.policies[" + i + "]", e) + consequence(kept)));
        if (kept != null) {
          understood.add(kept);
        }
      }
    }
    understood.sort(NodePolicy.ORDER);
    List<String> notes = new ArrayList<>();
    spec.fieldNames()
        .forEachRemaining(
            name -> {
              if (!KNOWN.contains(name)) {
                notes.add("spec." + name + " is not known to this agent; upgrade the agent");
              }
            });
    return new Reading(
        List.copyOf(understood),
        Map.copyOf(unsupported),
        failsafe(spec.path("failsafe"), notes),
        notes);
  }

  /**
   * Reads an entry.
   *
   * @throws JsonProcessingException if the entry has something unknown, or lacks something required
   */
  static NodePolicy entry(JsonNode entry) throws JsonProcessingException {
    for (String name : REQUIRED) {
      if (!entry.hasNonNull(name)) {
        JsonMappingException missing = JsonMappingException.from((JsonParser) null, "is missing");
        missing.prependPath(NodePolicy.class, name);
        throw missing;
      }
    }
    return STRICT.treeToValue(entry, NodePolicy.class);
  }

  private static @Nullable NodeFailsafe failsafe(JsonNode failsafe, List<String> notes) {
    if (failsafe.isMissingNode() || failsafe.isNull()) {
      return null;
    }
    try {
      return STRICT.treeToValue(failsafe, NodeFailsafe.class);
    } catch (JsonProcessingException strict) {
      notes.add(why("spec.failsafe", strict));
    }
    try {
      return LENIENT.treeToValue(failsafe, NodeFailsafe.class);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** The path and name of the unknown part, and its value if it is one. */
  private static String why(String at, JsonProcessingException e) {
    String path = at;
    if (e instanceof JsonMappingException mapping) {
      for (JsonMappingException.Reference step : mapping.getPath()) {
        path +=
            step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName();
      }
    }
    String agent = " to this agent (" + BuildVersion.current() + ")";
    if (e instanceof UnrecognizedPropertyException) {
      return path + ": the field is unknown" + agent + "; upgrade the agent";
    }
    if (e instanceof InvalidFormatException value && value.getTargetType().isEnum()) {
      String known =
          Arrays.stream(value.getTargetType().getEnumConstants())
              .map(Object::toString)
              .collect(Collectors.joining(", "));
      return path
          + ": the value \""
          + value.getValue()
          + "\" is unknown"
          + agent
          + ", which knows "
          + known
          + "; upgrade the agent";
    }
    return path
        + ": "
        + e.getOriginalMessage()
        + "; this agent does not understand the value; upgrade the agent";
  }

  private static String consequence(@Nullable NodePolicy kept) {
    return kept == null
        ? "; the policy is not enforced on this node"
        : "; generation " + kept.generation() + " stays in force";
  }
}
