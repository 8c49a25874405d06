// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

/**
 * A number of nodes, or a share of them.
 *
 * @param percent whether the number is a percentage, which is rounded up
 */
public record NodeAmount(int number, boolean percent) {
  static NodeAmount nodes(int number) {
    return new NodeAmount(number, false);
  }

  /**
   * Parses a value that the CRD's schema has accepted.
   *
   * @param field the field, for the message
   * @param least the least number, and percentage
   * @throws IllegalArgumentException naming field, value and what is allowed
   */
  static NodeAmount parse(String field, String text, int least) {
    boolean percent = text.endsWith("%");
    try {
      int number = Integer.parseInt(percent ? text.substring(0, text.length() - 1) : text);
      if (number >= least && !(percent && number > 100)) {
        return new NodeAmount(number, percent);
      }
    } catch (NumberFormatException e) {
      // Reported below, like any other text that is not allowed.
    }
    throw new IllegalArgumentException(
        "%s: Invalid value: \"%s\": must be a number of nodes from %d, or a percentage from %d%% to 100%%"
            .formatted(field, text, least, least));
  }

  /** The amount for a total number of nodes. */
  public int of(int nodes) {
    return percent ? Math.toIntExact(((long) nodes * number + 99) / 100) : number;
  }

  /** The amount as written in the policy. */
  @Override
  public String toString() {
    return percent ? number + "%" : Integer.toString(number);
  }
}
