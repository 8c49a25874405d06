package dev.tokenbucket.api.v1alpha1;

/** The parts of a CEL rule over a quantity: FROM, the least, TO, the most, WHOLE. */
final class QuantityRules {
  /** A quantity not below what comes next. */
  static final String FROM =
      "isQuantity(string(self)) && !quantity(string(self)).isLessThan(quantity('";

  /** And not above what comes next. */
  static final String TO = "')) && !quantity(string(self)).isGreaterThan(quantity('";

  /**
   * And whole in value, however it is written: 2000.0, 5000m and 1.5Ki are. {@code isInteger()} is
   * about the notation, and refuses them. Within the ranges a double holds each whole number.
   */
  static final String WHOLE =
      "')) && quantity(string(self)).sub(int(quantity(string(self)).asApproximateFloat() + 0.5))"
          + ".compareTo(quantity('0')) == 0";

  private QuantityRules() {}
}
