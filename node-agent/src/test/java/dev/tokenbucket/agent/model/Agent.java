// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import dev.tokenbucket.agent.model.Line.Window;
import dev.tokenbucket.agent.model.Memory.Slot;
import dev.tokenbucket.agent.model.Table.Place;
import java.util.Optional;

/**
 * What the agent does beside the packets, one thing at a time: sweeps, and changes of parameters.
 */
final class Agent {
  private final Memory memory;

  private final Step awaitLastBend = this::awaitLastBend;
  private final Step awaitGracePeriod = this::awaitGracePeriod;

  private Key key = new Key("none", 0, 0);
  private Place place;
  private int taken;
  private long moment;
  private long newRate;
  private Window newWindow;
  private long lead;
  private long[] running = new long[0];

  Agent(Memory memory) {
    this.memory = memory;
    place = memory.table.at(0);
    newWindow = memory.slots[0].window;
  }

  // A sweep: sweep.bpf.c. No change comes meanwhile.

  /** Removes the key's bucket if it is full. */
  Step sweep(Key of) {
    key = of;
    Optional<Table.Entry> found = memory.table.find(key);
    if (found.isEmpty()) {
      return Step.END;
    }
    taken = found.get().place;
    place = memory.table.at(taken);
    return this::compareKey;
  }

  /** The CPU that adds the key may not be done, or the place be another key's by now. */
  private Step compareKey() {
    boolean valid = place.first == key.first() && place.last == key.last();
    return valid
        ? new Removal(memory, place, () -> this::freePlace, () -> Step.END)::readPosition
        : Step.END;
  }

  private Step freePlace() {
    memory.table.free(taken);
    return Step.END;
  }

  // A change: PolicySlots and parameters.bpf.c.

  /** Bends the axis to a rate, {@code lead} nanoseconds ahead of now, and sets B at once. */
  Step change(long rate, Window window, long lead) {
    newRate = rate;
    newWindow = window;
    this.lead = lead;
    return awaitLastBend();
  }

  private Step awaitLastBend() {
    boolean ahead = memory.inForce().axis().t0() - memory.now > 0;
    if (ahead && memory.has(Safeguard.LAST_BEND_PASSED)) {
      return awaitLastBend;
    }
    running = memory.begun.clone();
    return awaitGracePeriod;
  }

  private Step awaitGracePeriod() {
    for (int cpu = 0; cpu < memory.cpus; cpu++) {
      if (memory.ended[cpu] < running[cpu] && memory.has(Safeguard.GRACE_PERIOD)) {
        return awaitGracePeriod;
      }
    }
    return this::chooseMoment;
  }

  private Step chooseMoment() {
    moment = Math.max(memory.now, memory.inForce().axis().t0()) + lead;
    return this::writeAxis;
  }

  private Step writeAxis() {
    idle().axis = memory.inForce().axis().bentAt(moment, newRate);
    return this::writeWindow;
  }

  private Slot idle() {
    return memory.slots[~memory.active & 1];
  }

  private Step writeWindow() {
    idle().window = newWindow;
    return this::propose;
  }

  private Step propose() {
    memory.active = proposal();
    return this::lookAtClock;
  }

  private int proposal() {
    return (memory.active & 1) | Memory.PROPOSED;
  }

  private Step lookAtClock() {
    boolean late = moment - memory.now <= 0 && memory.has(Safeguard.LATE_PROPOSAL_WITHDRAWN);
    return late ? this::withdraw : this::commit;
  }

  private Step withdraw() {
    memory.swapActive(proposal(), memory.active & 1);
    return Step.END;
  }

  private Step commit() {
    int proposal = proposal();
    if (memory.swapActive(proposal, ~memory.active & 1) == proposal) {
      memory.ledger.flipped(memory.inForce());
    }
    return Step.END;
  }
}
