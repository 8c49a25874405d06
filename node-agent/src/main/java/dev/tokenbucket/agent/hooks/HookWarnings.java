// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Overlap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Conditions of running policies that a user should know about. None of them stops a policy. */
public final class HookWarnings {
  /** The most warnings per policy that a status may hold. */
  static final int MOST = 16;

  private static final int NAMED = 3;

  private final KernelHooks kernel;
  private final Pins pins;

  // Cached, because policies may have many terms and usually nothing has changed.
  private Situation last = new Situation(HookSet.NONE, List.of(), Map.of());
  private Map<String, List<String>> lastWarnings = Map.of();

  public HookWarnings(KernelHooks kernel, Pins pins) {
    this.kernel = kernel;
    this.pins = pins;
  }

  /**
   * The facts that warnings depend on.
   *
   * @param set the policies per hook
   * @param devices all devices of this network namespace
   * @param foreignBefore per hook, how many foreign programs run before the agent's
   */
  record Situation(HookSet set, List<NetworkDevice> devices, Map<HookKey, Integer> foreignBefore) {
    Map<HookKey, List<NodePolicy>> hooks() {
      return set.hooks();
    }
  }

  /**
   * The warnings for the current state, per policy uid, at most {@link #MOST} each.
   *
   * @param set the policies per hook
   * @param devices all devices of this network namespace
   */
  public Map<String, List<String>> of(HookSet set, List<NetworkDevice> devices) {
    Map<HookKey, Integer> foreign = new HashMap<>();
    set.hooks().keySet().forEach(hook -> foreign.put(hook, foreignBefore(hook)));
    Situation now = new Situation(set, devices, foreign);
    if (!now.equals(last)) {
      lastWarnings = of(now);
      last = now;
    }
    return lastWarnings;
  }

  private int foreignBefore(HookKey hook) {
    List<Long> all = kernel.tcxPrograms(hook.ifindex(), hook.point());
    return kernel
        .attached(pins.hook(hook.ifindex(), hook.point()))
        // A clsact filter is not in the list, and runs after all TCX programs. XDP has no list.
        .map(ours -> all.contains(ours.programId()) ? all.indexOf(ours.programId()) : all.size())
        .orElse(0);
  }

  /**
   * Pure: the warnings per policy uid, at most {@link #MOST} each; policies without a warning are
   * left out.
   */
  public static Map<String, List<String>> of(Situation now) {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    for (PolicyHooks each : hooksOf(now)) {
      NodePolicy policy = each.policy();
      List<String> own =
          new ArrayList<>(held(now.set().held().getOrDefault(policy.uid(), Set.of())));
      own.addAll(notAtXdp(now.set().notAtXdp().getOrDefault(policy.uid(), Map.of())));
      own.addAll(stacked(policy, each.on(), now.devices()));
      own.addAll(foreign(each.on(), now.foreignBefore()));
      own.addAll(overlaps(policy, each.on(), now.set()));
      if (!own.isEmpty()) {
        warnings.put(policy.uid(), Texts.bounded(MOST, own));
      }
    }
    return warnings;
  }

  /**
   * A policy with its hooks.
   *
   * @param policy as it is on the first of them; only the rate may differ on others
   */
  private record PolicyHooks(NodePolicy policy, List<HookKey> on) {}

  private static Collection<PolicyHooks> hooksOf(Situation now) {
    Map<String, PolicyHooks> hooks = new LinkedHashMap<>();
    now.hooks()
        .forEach(
            (hook, on) ->
                on.forEach(
                    policy ->
                        hooks
                            .computeIfAbsent(
                                policy.uid(), uid -> new PolicyHooks(policy, new ArrayList<>()))
                            .on()
                            .add(hook)));
    return hooks.values();
  }

  private static List<String> held(Set<String> interfaces) {
    return interfaces.stream()
        .map(
            each ->
                ("%s lost its default route; the interface stays limited for %d s in case the"
                        + " route comes back")
                    .formatted(each, RouteHold.TIME.toSeconds()))
        .toList();
  }

  private static List<String> notAtXdp(Map<String, String> reasons) {
    return reasons.entrySet().stream()
        .map(
            each ->
                "%s: at TC instead of XDP, because %s".formatted(each.getKey(), each.getValue()))
        .toList();
  }

  /**
   * A bucket over several interfaces is charged at each hook where the policy judges the packet.
   */
  private static List<String> stacked(
      NodePolicy policy, List<HookKey> on, List<NetworkDevice> devices) {
    if (policy.per() == BucketPer.Interface || on.size() < 2) {
      return List.of();
    }
    List<String> warnings = new ArrayList<>();
    DeviceStack stack = new DeviceStack(devices);
    for (HookKey upper : on) {
      Set<Integer> lower = stack.beneath(upper.ifindex());
      on.stream()
          .filter(each -> lower.contains(each.ifindex()))
          .forEach(
              each ->
                  warnings.add(
                      ("%s is stacked on %s and the policy selects both: a packet that passes both"
                              + " is charged twice, so traffic gets far less than the rate; select"
                              + " one of them, or set bucket.per to Interface")
                          .formatted(upper.interfaceName(), each.interfaceName())));
    }
    return warnings;
  }

  private static List<String> foreign(List<HookKey> on, Map<HookKey, Integer> foreignBefore) {
    return on.stream()
        .filter(hook -> foreignBefore.getOrDefault(hook, 0) > 0)
        .map(hook -> foreign(hook, foreignBefore.getOrDefault(hook, 0)))
        .toList();
  }

  private static String foreign(HookKey hook, int programs) {
    return (programs == 1
            ? "%s %s: %d other TCX program runs first; packets that it accepts or drops bypass this"
                + " limit"
            : "%s %s: %d other TCX programs run first; packets that they accept or drop bypass this"
                + " limit")
        .formatted(hook.interfaceName(), hook.direction(), programs);
  }

  /** The order in which overlapping policies apply, once for all interfaces with the same order. */
  private static List<String> overlaps(NodePolicy policy, List<HookKey> on, HookSet set) {
    Map<String, List<String>> interfacesOf = new LinkedHashMap<>();
    Map<NodePolicy, Boolean> known = new HashMap<>();
    for (HookKey hook : on) {
      List<NodePolicy> all = set.inOrder(hook);
      int own = all.stream().map(NodePolicy::uid).toList().indexOf(policy.uid());
      String order =
          order("before this one ", overlapping(policy, all.subList(0, own), known))
              + order(
                  "after this one ", overlapping(policy, all.subList(own + 1, all.size()), known));
      if (!order.isEmpty()) {
        interfacesOf.computeIfAbsent(order, key -> new ArrayList<>()).add(hook.interfaceName());
      }
    }
    Direction direction = policy.direction();
    return interfacesOf.entrySet().stream()
        .map(
            each ->
                "%s %s: may judge the same packets%s"
                    .formatted(Texts.first(NAMED, each.getValue()), direction, each.getKey()))
        .toList();
  }

  private static List<String> overlapping(
      NodePolicy policy, List<NodePolicy> others, Map<NodePolicy, Boolean> known) {
    return others.stream()
        .filter(other -> known.computeIfAbsent(other, key -> Overlap.possible(policy, key)))
        .map(NodePolicy::name)
        .toList();
  }

  private static String order(String place, List<String> names) {
    return names.isEmpty() ? "" : ", " + place + Texts.first(NAMED, names);
  }
}
