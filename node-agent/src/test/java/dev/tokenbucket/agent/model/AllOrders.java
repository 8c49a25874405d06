// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Runs a few processes in every order in which a process is interrupted at most N times in all,
 * anywhere; when one ends, any other goes on.
 */
final class AllOrders {
  /** What runs again for each order: the first steps, one list per process, and the outcome. */
  record Case(List<List<Supplier<Step>>> processes, Supplier<Optional<String>> violation) {}

  private final int interruptions;
  private int orders;

  AllOrders(int interruptions) {
    this.interruptions = interruptions;
  }

  int orders() {
    return orders;
  }

  /** The first promise that some order breaks, in words. */
  Optional<String> violation(Supplier<Case> cases) {
    AllChoices choices = new AllChoices();
    do {
      Case made = cases.get();
      run(made, choices);
      orders++;
      Optional<String> violation = made.violation().get();
      if (violation.isPresent()) {
        return violation;
      }
    } while (choices.more());
    return Optional.empty();
  }

  private void run(Case made, Choices choices) {
    List<Runner> runners = new ArrayList<>(made.processes().stream().map(Runner::new).toList());
    int left = interruptions;
    while (!runners.isEmpty()) {
      Runner runner = runners.get(choices.below(left > 0 ? runners.size() : 1));
      if (runner != runners.get(0)) {
        left -= runners.get(0).hasBegun() ? 1 : 0;
        runners.remove(runner);
        runners.add(0, runner);
      }
      runner.step();
      if (runner.hasEnded() || runner.isWaiting()) {
        runners.remove(runner);
      }
      if (runner.isWaiting()) {
        runners.add(runner);
      }
    }
  }

  /** A process: one first step after the other, each with the steps that follow it. */
  private static final class Runner {
    private final List<Supplier<Step>> left;
    private Step next = Step.END;
    private boolean begun;
    private boolean waiting;

    Runner(List<Supplier<Step>> processes) {
      left = new ArrayList<>(processes);
    }

    boolean hasBegun() {
      return begun;
    }

    boolean isWaiting() {
      return waiting;
    }

    boolean hasEnded() {
      return next == Step.END && left.isEmpty();
    }

    void step() {
      begun = true;
      Step taken = next;
      next = taken == Step.END ? left.remove(0).get() : taken.run();
      waiting = next == taken && next != Step.END;
    }
  }
}
