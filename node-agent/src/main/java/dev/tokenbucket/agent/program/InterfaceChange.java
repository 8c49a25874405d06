// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.kernel.HookPoint.INGRESS;
import static dev.tokenbucket.agent.kernel.HookPoint.XDP;

import dev.tokenbucket.agent.hooks.HookMoves;
import dev.tokenbucket.agent.hooks.HookPrograms;
import dev.tokenbucket.agent.hooks.HookSet;
import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.XdpRefusedException;
import dev.tokenbucket.agent.program.HookAttaching.Task;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Changes the hooks of one interface. A policy that moves between XDP and TC is on both hooks for a
 * moment, and never on none. If the new hook can't take the policy, the old one keeps the policy.
 */
final class InterfaceChange {
  private final HookPrograms programs;
  private final Inputs inputs;
  private final List<HookKey> hooks;
  private final HookKey any;

  /** What one pass over all interfaces knows. */
  interface Inputs {
    HookSet set();

    /** What the hooks should run; a hook without a task stays as it is. */
    Map<HookKey, Task> tasks();

    /** A task with other policies for the same hook. */
    Task task(HookKey hook, List<NodePolicy> on);

    /** Why interfaces take no program on their XDP hook, by index; they are not asked. */
    Map<Integer, String> xdpRefusals();

    /** The uids of the policies that a hook enforces now. */
    Set<String> enforced(HookKey hook);

    /** Collects the problem of each hook; several threads may write. */
    Map<HookKey, RuntimeException> problems();

    /** Collects hooks that enforce more than their task, until that has moved; likewise. */
    Set<HookKey> unsettled();
  }

  /**
   * @param hooks the interface's hooks in the set, at least one
   */
  InterfaceChange(HookPrograms programs, Inputs inputs, List<HookKey> hooks) {
    this.programs = programs;
    this.inputs = inputs;
    this.hooks = hooks;
    this.any = hooks.get(0);
  }

  /** Gives the hooks that are not right their programs. */
  void make(Predicate<HookKey> isToRun) {
    List<HookKey> toRun = hooks.stream().filter(isToRun).toList();
    if (toRun.isEmpty()) {
      return;
    }
    try {
      if (hasXdp()) {
        toRun.stream().filter(hook -> hook.point() == HookPoint.EGRESS).forEach(this::run);
        make(toRun, moves());
      } else {
        toRun.forEach(this::run);
      }
    } catch (RuntimeException e) {
      toRun.forEach(hook -> inputs.problems().putIfAbsent(hook, e));
    }
  }

  private boolean hasXdp() {
    return hooks.contains(any.at(XDP)) || Files.exists(programs.at(any.at(XDP)).folder());
  }

  private void make(List<HookKey> toRun, HookMoves moves) {
    for (HookMoves.Step step : moves.steps()) {
      HookKey hook = any.at(step.point());
      if (!toRun.contains(hook)) {
        continue;
      }
      if (step instanceof HookMoves.Step.Keep keep) {
        run(hook, withOthers(hook, keep.alsoKept()));
      } else {
        runWith(couldNotMove(hook, moves), hook);
      }
    }
  }

  /** Gives a hook its policies, and those that could not leave it. */
  private void runWith(Set<String> staying, HookKey hook) {
    if (staying.isEmpty()) {
      run(hook);
      return;
    }
    inputs.unsettled().add(hook);
    run(hook, withOthers(hook, staying));
  }

  private static HookKey other(HookKey hook) {
    return hook.at(hook.point() == XDP ? INGRESS : XDP);
  }

  private HookMoves moves() {
    Map<HookPoint, Set<String>> now = new EnumMap<>(HookPoint.class);
    Map<HookPoint, Set<String>> wanted = new EnumMap<>(HookPoint.class);
    for (HookPoint point : List.of(XDP, INGRESS)) {
      now.put(point, inputs.enforced(any.at(point)));
      wanted.put(point, uids(inputs.set().hooks().getOrDefault(any.at(point), List.of())));
    }
    return new HookMoves(now, wanted);
  }

  private static Set<String> uids(List<NodePolicy> policies) {
    return policies.stream().map(NodePolicy::uid).collect(Collectors.toUnmodifiableSet());
  }

  /** The hook's policies, and those of the other hook that this one enforces for now. */
  private Task withOthers(HookKey hook, Set<String> alsoKept) {
    List<NodePolicy> all = new ArrayList<>(Objects.requireNonNull(inputs.tasks().get(hook)).on());
    inputs.set().hooks().getOrDefault(other(hook), List.of()).stream()
        .filter(policy -> alsoKept.contains(policy.uid()))
        .forEach(all::add);
    all.sort(NodePolicy.ORDER);
    return inputs.task(hook, all);
  }

  /** The policies that a hook enforces because the interface's other hook did not get them. */
  private Set<String> couldNotMove(HookKey hook, HookMoves moves) {
    HookKey other = other(hook);
    Set<String> moving = new HashSet<>(moves.between(hook.point(), other.point()));
    Task moved = inputs.tasks().get(other);
    if (moved != null && !inputs.problems().containsKey(other)) {
      moving.removeAll(uids(moved.on()));
    }
    return moving;
  }

  /**
   * The interface's hooks that are not in the set, and that must stay, because they enforce what
   * could not move.
   */
  Set<HookKey> kept() {
    Set<HookKey> kept = new HashSet<>();
    for (HookPoint point : List.of(XDP, INGRESS)) {
      HookKey hook = any.at(point);
      if (!hooks.contains(hook) && hooks.contains(other(hook)) && mustStay(hook)) {
        kept.add(hook);
      }
    }
    return kept;
  }

  /** True also if what the hook enforces can't be read. */
  private boolean mustStay(HookKey hook) {
    try {
      return Files.exists(programs.at(hook).folder()) && !couldNotMove(hook, moves()).isEmpty();
    } catch (RuntimeException e) {
      return true;
    }
  }

  private void run(HookKey hook) {
    run(hook, Objects.requireNonNull(inputs.tasks().get(hook)));
  }

  private void run(HookKey hook, Task task) {
    String refusal = hook.point() == XDP ? inputs.xdpRefusals().get(hook.ifindex()) : null;
    if (refusal != null) {
      inputs.problems().put(hook, new XdpRefusedException(refusal));
      return;
    }
    try {
      programs.attach(hook, task.wanted(), task.on());
    } catch (RuntimeException e) {
      inputs.problems().put(hook, e);
    }
  }
}
