package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.KernelHooks;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.Overlap;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** What a user should know of policies that run: none of it stops them. */
public final class HookWarnings {
  /** As many as a status may hold for a policy. */
  static final int MOST = 16;

  private static final int NAMED = 3;

  private final KernelHooks kernel;
  private final Pins pins;

  // Policies may have many terms, and most often nothing has changed.
  private Situation last = new Situation(HookSet.NONE, List.of(), Map.of());
  private Map<String, List<String>> lastWarnings = Map.of();

  public HookWarnings(KernelHooks kernel, Pins pins) {
    this.kernel = kernel;
    this.pins = pins;
  }

  /**
   * What the warnings follow from.
   *
   * @param set which policies are where
   * @param devices all of this network namespace
   * @param foreignBefore for a hook, how many programs of others run before ours
   */
  record Situation(HookSet set, List<NetworkDevice> devices, Map<HookKey, Integer> foreignBefore) {
    Map<HookKey, List<NodePolicy>> hooks() {
      return set.hooks();
    }
  }

  /**
   * As things are now: by uid, at most {@link #MOST} each.
   *
   * @param set which policies are where
   * @param devices all of this network namespace
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
    List<Long> all = kernel.tcxPrograms(hook.ifindex(), hook.direction());
    return kernel
        .attached(pins.hook(hook.ifindex(), hook.direction()))
        // a clsact filter is not among them and comes after all of them
        .map(ours -> all.contains(ours.programId()) ? all.indexOf(ours.programId()) : all.size())
        .orElse(0);
  }

  /** Pure: by uid, at most {@link #MOST} each; policies without a warning are left out. */
  public static Map<String, List<String>> of(Situation now) {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    for (Map.Entry<NodePolicy, List<HookKey>> each : hooksOf(now).entrySet()) {
      NodePolicy policy = each.getKey();
      List<String> own =
          new ArrayList<>(held(now.set().held().getOrDefault(policy.uid(), Set.of())));
      own.addAll(stacked(policy, each.getValue(), now.devices()));
      own.addAll(foreign(each.getValue(), now.foreignBefore()));
      own.addAll(overlaps(policy, each.getValue(), now.hooks()));
      if (!own.isEmpty()) {
        warnings.put(policy.uid(), bounded(own));
      }
    }
    return warnings;
  }

  private static Map<NodePolicy, List<HookKey>> hooksOf(Situation now) {
    Map<NodePolicy, List<HookKey>> hooks = new LinkedHashMap<>();
    now.hooks()
        .forEach(
            (hook, on) ->
                on.forEach(p -> hooks.computeIfAbsent(p, key -> new ArrayList<>()).add(hook)));
    return hooks;
  }

  private static List<String> bounded(List<String> all) {
    if (all.size() <= MOST) {
      return List.copyOf(all);
    }
    List<String> some = new ArrayList<>(all.subList(0, MOST - 1));
    some.add("and " + (all.size() - some.size()) + " more warnings");
    return List.copyOf(some);
  }

  private static List<String> held(Set<String> interfaces) {
    return interfaces.stream()
        .map(
            each ->
                ("%s has had no default route for a moment; it stays limited for %d s, in case that"
                        + " one comes back")
                    .formatted(each, RouteHold.TIME.toSeconds()))
        .toList();
  }

  /** A bucket that is not an interface's own is charged wherever the policy meets the packet. */
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
                      ("%s stands on %s and both are selected: a packet of both is charged twice,"
                              + " so a flood gets far less than the rate; select one of them, or"
                              + " set bucket.per to Interface")
                          .formatted(upper.interfaceName(), each.interfaceName())));
    }
    return warnings;
  }

  private static List<String> foreign(List<HookKey> on, Map<HookKey, Integer> foreignBefore) {
    return on.stream()
        .filter(hook -> foreignBefore.getOrDefault(hook, 0) > 0)
        .map(
            hook ->
                ("%s %s: %d TCX programs of others run before ours; what they pass for good or drop"
                        + " is not limited")
                    .formatted(
                        hook.interfaceName(),
                        hook.direction(),
                        foreignBefore.getOrDefault(hook, 0)))
        .toList();
  }

  /** The order of effect, once for all interfaces that have the same. */
  private static List<String> overlaps(
      NodePolicy policy, List<HookKey> on, Map<HookKey, List<NodePolicy>> hooks) {
    Map<String, List<String>> interfacesOf = new LinkedHashMap<>();
    Map<NodePolicy, Boolean> known = new HashMap<>();
    for (HookKey hook : on) {
      List<NodePolicy> all = Objects.requireNonNull(hooks.get(hook));
      int own = all.indexOf(policy);
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
                    .formatted(some(each.getValue()), direction, each.getKey()))
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
    return names.isEmpty() ? "" : ", " + place + some(names);
  }

  private static String some(List<String> names) {
    String named = names.stream().limit(NAMED).collect(Collectors.joining(", "));
    return names.size() <= NAMED ? named : named + " and " + (names.size() - NAMED) + " more";
  }
}
