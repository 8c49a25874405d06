package dev.tokenbucket.operator.fleet;

import java.util.HashSet;
import java.util.Set;

/** Names of nodes and policies for which something may be to be done. */
public record Wakes(Set<String> nodes, Set<String> policies) {
  static Wakes none() {
    return new Wakes(new HashSet<>(), new HashSet<>());
  }
}
