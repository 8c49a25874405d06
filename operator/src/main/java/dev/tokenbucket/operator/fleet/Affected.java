package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Set;

/** Names of the nodes and policies that may need work. */
public record Affected(Set<String> nodes, Set<String> policies) {
  static Affected none() {
    return new Affected(new HashSet<>(), new HashSet<>());
  }
}
