// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.hooks.HookMoves.Step;
import dev.tokenbucket.agent.kernel.HookPoint;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/** Policies that move between an interface's XDP hook and its TC hook. */
class HookMovesProperties {
  /** Makes a step and returns what the hook then enforces. */
  private static Set<String> after(Step step, HookMoves moves) {
    Set<String> policies = new HashSet<>(moves.wanted().getOrDefault(step.point(), Set.of()));
    if (step instanceof Step.Keep keep) {
      policies.addAll(keep.alsoKept());
    }
    return policies;
  }

  @Property
  void noPolicyThatStaysIsMissingOnBothHooksBetweenTwoSteps(
      @ForAll Set<@CharRange(from = 'a', to = 'f') @StringLength(1) String> xdpNow,
      @ForAll Set<@CharRange(from = 'a', to = 'f') @StringLength(1) String> ingressNow,
      @ForAll @Size(max = 4) Set<@CharRange(from = 'a', to = 'f') @StringLength(1) String> xdp,
      @ForAll @Size(max = 4) Set<@CharRange(from = 'a', to = 'f') @StringLength(1) String> tc) {
    Set<String> ingress = new HashSet<>(tc);
    ingress.removeAll(xdp);
    HookMoves moves =
        new HookMoves(
            Map.of(HookPoint.XDP, xdpNow, HookPoint.INGRESS, ingressNow),
            Map.of(HookPoint.XDP, xdp, HookPoint.INGRESS, ingress));
    Set<String> staying = new HashSet<>(xdpNow);
    staying.addAll(ingressNow);
    Set<String> all = new HashSet<>(xdp);
    all.addAll(ingress);
    staying.retainAll(all);
    Map<HookPoint, Set<String>> enforced = new HashMap<>(moves.now());

    for (Step step : moves.steps()) {
      enforced.put(step.point(), after(step, moves));
      Set<String> now = new HashSet<>();
      enforced.values().forEach(now::addAll);
      assertThat(now).as("after %s", step).containsAll(staying);
    }
    assertThat(enforced).isEqualTo(moves.wanted());
  }
}
