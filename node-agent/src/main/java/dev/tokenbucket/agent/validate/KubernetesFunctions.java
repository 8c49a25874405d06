// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.validate;

import dev.cel.common.CelFunctionDecl;
import dev.cel.common.CelOverloadDecl;
import dev.cel.common.types.CelType;
import dev.cel.common.types.SimpleType;
import dev.cel.runtime.CelFunctionBinding;
import dev.tokenbucket.api.v1alpha1.Cidr;
import java.math.BigDecimal;
import java.util.List;

/** The parts of Kubernetes' CEL libraries that the CRD's rules use: quantities and CIDRs. */
final class KubernetesFunctions {
  static final List<CelFunctionDecl> DECLARATIONS =
      List.of(
          function("isQuantity", SimpleType.BOOL),
          function("quantity", SimpleType.DYN),
          member("asApproximateFloat", SimpleType.DOUBLE, SimpleType.DYN),
          member("sub", SimpleType.DYN, SimpleType.DYN, SimpleType.INT),
          member("compareTo", SimpleType.INT, SimpleType.DYN, SimpleType.DYN),
          member("isLessThan", SimpleType.BOOL, SimpleType.DYN, SimpleType.DYN),
          member("isGreaterThan", SimpleType.BOOL, SimpleType.DYN, SimpleType.DYN),
          function("isCIDR", SimpleType.BOOL),
          function("cidr", SimpleType.DYN),
          member("masked", SimpleType.DYN, SimpleType.DYN));

  static final List<CelFunctionBinding> BINDINGS =
      List.of(
          CelFunctionBinding.from(
              overload("isQuantity"),
              String.class,
              text -> KubernetesQuantity.parse(text).isPresent()),
          CelFunctionBinding.from(
              overload("quantity"),
              String.class,
              text ->
                  KubernetesQuantity.parse(text)
                      .orElseThrow(
                          () -> new IllegalArgumentException(text + " is not a quantity"))),
          CelFunctionBinding.from(
              overload("asApproximateFloat"), BigDecimal.class, BigDecimal::doubleValue),
          CelFunctionBinding.from(
              overload("sub"),
              BigDecimal.class,
              Long.class,
              (left, right) -> left.subtract(BigDecimal.valueOf(right))),
          CelFunctionBinding.from(
              overload("compareTo"),
              BigDecimal.class,
              BigDecimal.class,
              (left, right) -> (long) left.compareTo(right)),
          CelFunctionBinding.from(
              overload("isLessThan"),
              BigDecimal.class,
              BigDecimal.class,
              (left, right) -> left.compareTo(right) < 0),
          CelFunctionBinding.from(
              overload("isGreaterThan"),
              BigDecimal.class,
              BigDecimal.class,
              (left, right) -> left.compareTo(right) > 0),
          CelFunctionBinding.from(
              overload("isCIDR"), String.class, text -> Cidr.parse(text).isPresent()),
          CelFunctionBinding.from(
              overload("cidr"),
              String.class,
              text ->
                  Cidr.parse(text)
                      .orElseThrow(() -> new IllegalArgumentException(text + " is not a CIDR"))),
          CelFunctionBinding.from(overload("masked"), Cidr.class, Cidr::masked));

  private KubernetesFunctions() {}

  private static String overload(String function) {
    return "kubernetes_" + function;
  }

  /** A function with one string argument. */
  private static CelFunctionDecl function(String name, CelType result) {
    return CelFunctionDecl.newFunctionDeclaration(
        name, CelOverloadDecl.newGlobalOverload(overload(name), result, SimpleType.STRING));
  }

  private static CelFunctionDecl member(String name, CelType result, CelType... arguments) {
    return CelFunctionDecl.newFunctionDeclaration(
        name, CelOverloadDecl.newMemberOverload(overload(name), result, List.of(arguments)));
  }
}
