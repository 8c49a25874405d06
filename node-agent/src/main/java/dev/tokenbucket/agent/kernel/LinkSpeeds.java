// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.Collection;
import java.util.Optional;

/** How fast the links of this network namespace are, as their drivers report it. */
public interface LinkSpeeds {
  /** No link has a known speed. */
  LinkSpeeds UNKNOWN = index -> Optional.empty();

  /**
   * A link's speed in Mbit/s; empty if its driver reports none and has reported none before.
   *
   * @param index the interface's index
   */
  Optional<Long> megabits(int index);

  /** Forgets interfaces other than these, by index. */
  default void forgetAllBut(Collection<Integer> indexes) {}
}
