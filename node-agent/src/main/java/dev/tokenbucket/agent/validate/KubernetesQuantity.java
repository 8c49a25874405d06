// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.validate;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A quantity as Kubernetes reads it (k8s.io/apimachinery/pkg/api/resource): a decimal number with
 * at most one suffix: binary, decimal or an exponent. The client library's parser accepts more.
 */
final class KubernetesQuantity {
  private static final Pattern GRAMMAR =
      Pattern.compile(
          "[+-]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,4})?");

  private KubernetesQuantity() {}

  static Optional<BigDecimal> parse(String text) {
    if (text.length() > 64 || !GRAMMAR.matcher(text).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Quantity.parse(text).getNumericalAmount());
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
