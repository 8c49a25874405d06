// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/**
 * The CEL rules of a rate, and those that pair a burst's unit with its rate's; exactly one rule
 * reports each mistake.
 */
final class UnitRules {
  static final String ONE_RATE =
      "[has(self.packetsPerSecond), has(self.bitsPerSecond), has(self.connectionsPerSecond),"
          + " has(self.packets), has(self.bits), has(self.connections),"
          + " has(self.percentOfLinkSpeed)]"
          + ".filter(x, x).size() == 1";

  /** A period beside no rate at all is reported by {@link #ONE_RATE}. */
  static final String PER_GOES_WITH_AN_AMOUNT =
      "!has(self.per) || !has(self.packetsPerSecond) && !has(self.bitsPerSecond)"
          + " && !has(self.connectionsPerSecond) && !has(self.percentOfLinkSpeed)";

  /** What is below 8, or no quantity, is reported by the field's own rule. */
  static final String BITS_ARE_ENOUGH =
      "!has(self.bits) || !has(self.per) || self.per == 'Second' || !isQuantity(string(self.bits))"
          + " || quantity(string(self.bits)).isLessThan(quantity('8'))"
          + " || !quantity(string(self.bits))"
          + ".isLessThan(quantity(self.per == 'Minute' ? '480' : '28800'))";

  private static final String RATE_IN_PACKETS =
      "(has(self.rate.packetsPerSecond) || has(self.rate.packets))";
  private static final String RATE_IN_BITS =
      "(has(self.rate.bitsPerSecond) || has(self.rate.bits)"
          + " || has(self.rate.percentOfLinkSpeed))";
  static final String RATE_IN_CONNECTIONS =
      "(has(self.rate.connectionsPerSecond) || has(self.rate.connections))";

  private static final String PARENT = "self.bucket.parent.rate";
  private static final String PARENT_IN_PACKETS =
      "(has(" + PARENT + ".packetsPerSecond) || has(" + PARENT + ".packets))";
  private static final String PARENT_IN_BITS =
      "(has(" + PARENT + ".bitsPerSecond) || has(" + PARENT + ".bits))";
  private static final String PARENT_IN_CONNECTIONS =
      "(has(" + PARENT + ".connectionsPerSecond) || has(" + PARENT + ".connections))";

  /** A rate without exactly one unit is reported by {@link #ONE_RATE}. */
  static final String PARENT_HAS_THE_SAME_UNIT =
      "!has(self.bucket) || !has(self.bucket.parent) || ["
          + RATE_IN_PACKETS
          + ", "
          + RATE_IN_BITS
          + ", "
          + RATE_IN_CONNECTIONS
          + "].filter(x, x).size() != 1 || ["
          + PARENT_IN_PACKETS
          + ", "
          + PARENT_IN_BITS
          + ", "
          + PARENT_IN_CONNECTIONS
          + "].filter(x, x).size() != 1 || "
          + RATE_IN_PACKETS
          + " && "
          + PARENT_IN_PACKETS
          + " || "
          + RATE_IN_BITS
          + " && "
          + PARENT_IN_BITS
          + " || "
          + RATE_IN_CONNECTIONS
          + " && "
          + PARENT_IN_CONNECTIONS;

  /** True unless rate and burst each have exactly one unit: other rules report those mistakes. */
  private static final String UNCLEAR =
      "!has(self.burst) || ["
          + RATE_IN_PACKETS
          + ", "
          + RATE_IN_BITS
          + ", "
          + RATE_IN_CONNECTIONS
          + "].filter(x, x).size() != 1"
          + " || [has(self.burst.packets), has(self.burst.bytes),"
          + " has(self.burst.connections)].filter(x, x).size() != 1 || ";

  static final String PACKETS = UNCLEAR + "!has(self.burst.packets) || " + RATE_IN_PACKETS;
  static final String BYTES = UNCLEAR + "!has(self.burst.bytes) || " + RATE_IN_BITS;
  static final String CONNECTIONS =
      UNCLEAR + "!has(self.burst.connections) || " + RATE_IN_CONNECTIONS;

  static final String PACKETS_MESSAGE =
      "burst.packets goes with rate.packetsPerSecond or rate.packets; with a rate in bits set"
          + " burst.bytes, with one in connections burst.connections";
  static final String BYTES_MESSAGE =
      "burst.bytes goes with rate.bitsPerSecond or rate.bits, and with rate.percentOfLinkSpeed; with"
          + " a rate in packets set burst.packets, with one in connections burst.connections";
  static final String CONNECTIONS_MESSAGE =
      "burst.connections goes with rate.connectionsPerSecond or rate.connections; with a rate in"
          + " packets set burst.packets, with one in bits burst.bytes";

  /** Interfaces differ in speed, so no bucket can be shared by several of them. */
  static final String PERCENTAGE_IS_PER_INTERFACE =
      "!has(self.rate.percentOfLinkSpeed)"
          + " || has(self.bucket) && has(self.bucket.per) && self.bucket.per == 'Interface'";

  private UnitRules() {}
}
