package dev.tokenbucket.api.v1alpha1;

/**
 * The CEL rules that pair a burst's unit with its rate's; exactly one rule reports each mistake.
 */
final class UnitRules {
  /** True unless rate and burst each have exactly one unit: other rules report those mistakes. */
  private static final String UNCLEAR =
      "!has(self.burst) || [has(self.rate.packetsPerSecond), has(self.rate.bitsPerSecond),"
          + " has(self.rate.connectionsPerSecond)].filter(x, x).size() != 1"
          + " || [has(self.burst.packets), has(self.burst.bytes),"
          + " has(self.burst.connections)].filter(x, x).size() != 1 || ";

  static final String PACKETS =
      UNCLEAR + "!has(self.burst.packets) || has(self.rate.packetsPerSecond)";
  static final String BYTES = UNCLEAR + "!has(self.burst.bytes) || has(self.rate.bitsPerSecond)";
  static final String CONNECTIONS =
      UNCLEAR + "!has(self.burst.connections) || has(self.rate.connectionsPerSecond)";

  private UnitRules() {}
}
