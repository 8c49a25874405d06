// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Set;

/** Names of the nodes, policies and address sets that may need work. */
public record Affected(Set<String> nodes, Set<String> policies, Set<String> addressSets) {
  static Affected none() {
    return new Affected(new HashSet<>(), new HashSet<>(), new HashSet<>());
  }
}
