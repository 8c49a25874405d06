// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.validate;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cel.bundle.Cel;
import dev.cel.bundle.CelFactory;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.SimpleType;
import dev.cel.extensions.CelExtensions;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelRuntime;
import java.util.HashMap;
import java.util.Map;

/** One of the CRD's {@code x-kubernetes-validations}, evaluated as the API server does. */
final class CelRule {
  private static final Cel CEL =
      CelFactory.standardCelBuilder()
          .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
          .addCompilerLibraries(CelExtensions.strings())
          .addRuntimeLibraries(CelExtensions.strings())
          .addVar("self", SimpleType.DYN)
          .addFunctionDeclarations(KubernetesFunctions.DECLARATIONS)
          .addFunctionBindings(KubernetesFunctions.BINDINGS)
          .build();

  /** CEL's integers have 64 bits. */
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

  private final CelRuntime.Program program;
  private final String message;
  private final String fieldPath;
  private final String reason;

  private CelRule(CelRuntime.Program program, String message, String fieldPath, String reason) {
    this.program = program;
    this.message = message;
    this.fieldPath = fieldPath;
    this.reason = reason;
  }

  /** Compiles a rule of the CRD. */
  static CelRule of(JsonNode rule) {
    try {
      return new CelRule(
          CEL.createProgram(CEL.compile(rule.path("rule").asText()).getAst()),
          rule.path("message").asText(),
          rule.path("fieldPath").asText(),
          rule.path("reason").asText());
    } catch (CelValidationException | CelEvaluationException e) {
      throw new IllegalStateException("a rule of the CRD: " + rule, e);
    }
  }

  boolean holds(JsonNode self) {
    try {
      Map<String, Object> variables = new HashMap<>();
      variables.put("self", JSON.convertValue(self, Object.class));
      return Boolean.TRUE.equals(program.eval(variables));
    } catch (CelEvaluationException e) {
      return false;
    }
  }

  /** The refusal, in the API server's words. */
  String refusal(String field, JsonNode self) {
    String place = field + fieldPath;
    return switch (reason) {
      case "FieldValueForbidden" -> place + ": Forbidden: " + message;
      case "FieldValueRequired" -> place + ": Required value: " + message;
      default ->
          place + ": Invalid value: " + (self.isContainerNode() ? "" : self + ": ") + message;
    };
  }
}
