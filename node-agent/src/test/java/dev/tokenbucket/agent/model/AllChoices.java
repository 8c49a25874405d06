// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import java.util.ArrayList;
import java.util.List;

/** Every sequence of choices, one a run: {@code do { run } while (choices.more())}. */
final class AllChoices implements Choices {
  private final List<Integer> chosen = new ArrayList<>();
  private final List<Integer> from = new ArrayList<>();
  private int at;

  @Override
  public int below(int n) {
    if (at == chosen.size()) {
      chosen.add(0);
      from.add(n);
    }
    return chosen.get(at++);
  }

  /** Goes on to the next sequence; false when there is none. */
  boolean more() {
    at = 0;
    for (int last = chosen.size() - 1; last >= 0; last--) {
      if (chosen.get(last) + 1 < from.get(last)) {
        chosen.set(last, chosen.get(last) + 1);
        return true;
      }
      chosen.remove(last);
      from.remove(last);
    }
    return false;
  }
}
