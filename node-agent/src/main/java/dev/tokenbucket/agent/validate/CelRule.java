package dev.tokenbucket.agent.validate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.cel.bundle.Cel;
import dev.cel.bundle.CelFactory;
import dev.cel.common.CelFunctionDecl;
import dev.cel.common.CelOverloadDecl;
import dev.cel.common.CelValidationException;
import dev.cel.common.types.SimpleType;
import dev.cel.parser.CelStandardMacro;
import dev.cel.runtime.CelEvaluationException;
import dev.cel.runtime.CelFunctionBinding;
import dev.cel.runtime.CelRuntime;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;

/** One of the CRD's {@code x-kubernetes-validations}, evaluated as the API server does. */
final class CelRule {
  private static final Cel CEL =
      CelFactory.standardCelBuilder()
          .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
          .addVar("self", SimpleType.DYN)
          .addFunctionDeclarations(
              CelFunctionDecl.newFunctionDeclaration(
                  "isQuantity",
                  CelOverloadDecl.newGlobalOverload(
                      "is_quantity", SimpleType.BOOL, SimpleType.STRING)),
              CelFunctionDecl.newFunctionDeclaration(
                  "quantity",
                  CelOverloadDecl.newGlobalOverload(
                      "quantity_of", SimpleType.DYN, SimpleType.STRING)),
              CelFunctionDecl.newFunctionDeclaration(
                  "isInteger",
                  CelOverloadDecl.newMemberOverload(
                      "quantity_is_integer", SimpleType.BOOL, SimpleType.DYN)),
              CelFunctionDecl.newFunctionDeclaration(
                  "isLessThan",
                  CelOverloadDecl.newMemberOverload(
                      "quantity_less", SimpleType.BOOL, SimpleType.DYN, SimpleType.DYN)),
              CelFunctionDecl.newFunctionDeclaration(
                  "isGreaterThan",
                  CelOverloadDecl.newMemberOverload(
                      "quantity_greater", SimpleType.BOOL, SimpleType.DYN, SimpleType.DYN)))
          .addFunctionBindings(
              CelFunctionBinding.from(
                  "is_quantity", String.class, text -> KubernetesQuantity.parse(text).isPresent()),
              CelFunctionBinding.from("quantity_of", String.class, CelRule::quantity),
              CelFunctionBinding.from(
                  "quantity_is_integer", BigDecimal.class, KubernetesQuantity::isInteger),
              CelFunctionBinding.from(
                  "quantity_less",
                  BigDecimal.class,
                  BigDecimal.class,
                  (left, right) -> left.compareTo(right) < 0),
              CelFunctionBinding.from(
                  "quantity_greater",
                  BigDecimal.class,
                  BigDecimal.class,
                  (left, right) -> left.compareTo(right) > 0))
          .build();
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CelRuntime.Program program;
  private final String message;
  private final String fieldPath;
  private final boolean forbids;

  private CelRule(CelRuntime.Program program, String message, String fieldPath, boolean forbids) {
    this.program = program;
    this.message = message;
    this.fieldPath = fieldPath;
    this.forbids = forbids;
  }

  private static BigDecimal quantity(String text) {
    return KubernetesQuantity.parse(text)
        .orElseThrow(() -> new IllegalArgumentException(text + " is no quantity"));
  }

  /** Compiles a rule as the CRD has it. */
  static CelRule of(JsonNode rule) {
    try {
      return new CelRule(
          CEL.createProgram(CEL.compile(rule.path("rule").asText()).getAst()),
          rule.path("message").asText(),
          rule.path("fieldPath").asText(),
          rule.path("reason").asText().equals("FieldValueForbidden"));
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
    if (forbids) {
      return field + fieldPath + ": Forbidden: " + message;
    }
    String value = self.isContainerNode() ? "" : self + ": ";
    return field + fieldPath + ": Invalid value: " + value + message;
  }
}
