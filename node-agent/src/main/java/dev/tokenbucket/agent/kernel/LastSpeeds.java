// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Remembers each link's last speed. A link that is down, as it is while it negotiates, reports
 * none; its last speed counts until it reports another one. So a limit outlives the negotiation.
 */
public final class LastSpeeds implements LinkSpeeds {
  private final LinkSpeeds reported;
  private final Map<Integer, Long> last = new ConcurrentHashMap<>();

  /**
   * @param reported the speeds that drivers report now
   */
  public LastSpeeds(LinkSpeeds reported) {
    this.reported = reported;
  }

  @Override
  public Optional<Long> megabits(int index) {
    reported.megabits(index).ifPresent(speed -> last.put(index, speed));
    return Optional.ofNullable(last.get(index));
  }

  @Override
  public void forgetAllBut(Collection<Integer> indexes) {
    last.keySet().retainAll(indexes);
  }
}
