package dev.tokenbucket.api.v1alpha1;

/** The CEL rules that pair a burst's unit with its rate's; each mistake is told by one of them. */
final class UnitRules {
  /** Rate and burst each have one unit: else their own rules say so. */
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
