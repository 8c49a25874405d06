// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/**
 * The two parameters of a bucket.
 *
 * @param rate Q
 * @param burst B, in packets, bytes or connections, as the rate's unit says
 */
public record TokenLimit(TokenRate rate, long burst) {
  /** The limit for people: 1k packets/s, burst 100 packets. */
  public String text() {
    return rate.text() + ", burst " + rate.unit().burstText(burst);
  }
}
