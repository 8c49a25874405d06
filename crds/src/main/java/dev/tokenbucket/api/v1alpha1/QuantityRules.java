// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/**
 * The parts of a CEL rule over a quantity, in this order: FROM, the least value, TO, the greatest
 * value, WHOLE. The quantity is parsed once, into the only element of a list: the API server
 * estimates each parsing at the cost of the longest string that there is, and bounds the sum over
 * all rules of a CRD.
 */
final class QuantityRules {
  /** The quantity is not below the next value. */
  static final String FROM =
      "isQuantity(string(self)) && [quantity(string(self))].all(q, !q.isLessThan(quantity('";

  /** And the quantity is not above the next value. */
  static final String TO = "')) && !q.isGreaterThan(quantity('";

  /**
   * And the value is whole, however it is written: 2000.0, 5000m and 1.5Ki are. {@code isInteger()}
   * is about the notation, and refuses these. Within the ranges, a double holds each whole number.
   */
  static final String WHOLE =
      "')) && q.sub(int(q.asApproximateFloat() + 0.5)).compareTo(quantity('0')) == 0)";

  private QuantityRules() {}
}
