// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.util.List;

/**
 * What is known of an address set.
 *
 * @param cidrs the number of distinct networks; 0 if they are invalid
 * @param problem what is invalid; empty if nothing is
 * @param policies the policies that name the set, by name
 */
public record AddressSetReport(long generation, int cidrs, String problem, List<String> policies) {
  public AddressSetReport {
    policies = List.copyOf(policies);
  }
}
