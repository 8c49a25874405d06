package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Set;

/** Names of nodes and policies for which something may be to be done. */
public record Affected(Set<String> nodes, Set<String> policies) {
  static Affected none() {
    return new Affected(new HashSet<>(), new HashSet<>());
  }
}
