// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.kernel.HookPoint;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The policies that move between the XDP hook and the TC ingress hook of one interface. A policy is
 * put on its new hook before it leaves the old one, so that it limits all the time. In between,
 * both hooks charge its packets to the same bucket. Pure.
 *
 * @param now the uids of the policies that each hook enforces
 * @param wanted the uids of the policies that each hook should enforce
 */
public record HookMoves(Map<HookPoint, Set<String>> now, Map<HookPoint, Set<String>> wanted) {
  /** A change of one hook. */
  public sealed interface Step {
    HookPoint point();

    /** The hook gets the policies that it should have. */
    record Change(HookPoint point) implements Step {}

    /** The hook gets these policies, besides those that it should have. */
    record Keep(HookPoint point, Set<String> alsoKept) implements Step {}
  }

  /** The policies that one hook enforces now, and that the other one does not yet but should. */
  public Set<String> between(HookPoint source, HookPoint to) {
    Set<String> moving = new HashSet<>(of(now, source));
    moving.retainAll(of(wanted, to));
    moving.removeAll(of(now, to));
    return moving;
  }

  /** The order in which the two hooks are changed. */
  public List<Step> steps() {
    Step xdp = new Step.Change(HookPoint.XDP);
    Step ingress = new Step.Change(HookPoint.INGRESS);
    Set<String> leaving = between(HookPoint.XDP, HookPoint.INGRESS);
    if (leaving.isEmpty()) {
      return List.of(xdp, ingress);
    }
    return between(HookPoint.INGRESS, HookPoint.XDP).isEmpty()
        ? List.of(ingress, xdp)
        : List.of(new Step.Keep(HookPoint.XDP, leaving), ingress, xdp);
  }

  private static Set<String> of(Map<HookPoint, Set<String>> hooks, HookPoint point) {
    return hooks.getOrDefault(point, Set.of());
  }
}
