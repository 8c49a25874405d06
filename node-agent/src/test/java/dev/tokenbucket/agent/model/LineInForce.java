// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import java.util.function.IntFunction;

/**
 * Which line a packet takes that has read the clock, {@code parameters_line_at} of parameters.h:
 * the one in force. A proposal whose t0 had come by then is refused first.
 */
final class LineInForce {
  private final Memory memory;
  private final long read;
  private final IntFunction<Step> then;

  private int active;

  /**
   * @param read the clock reading
   * @param then what follows, by the index of the line
   */
  LineInForce(Memory memory, long read, IntFunction<Step> then) {
    this.memory = memory;
    this.read = read;
    this.then = then;
  }

  Step readActive() {
    active = memory.active;
    boolean proposed = (active & Memory.PROPOSED) != 0;
    return proposed && memory.has(Safeguard.LATE_PROPOSAL_REFUSED)
        ? this::readMoment
        : then.apply(active & 1);
  }

  private Step readMoment() {
    long moment = memory.slots[~active & 1].axis.t0();
    return read - moment >= 0 ? this::refuse : then.apply(active & 1);
  }

  private Step refuse() {
    return then.apply(memory.swapActive(active, active & 1) & 1);
  }
}
