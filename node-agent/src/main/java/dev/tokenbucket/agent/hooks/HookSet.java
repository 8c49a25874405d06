// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static dev.tokenbucket.agent.hooks.HostLinks.LinkLayer.ETHERNET;

import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The policies that each hook should run, in order, on the interfaces that exist now. A policy that
 * exceeds the capacity of a hook or of the node is left out, beginning with the last in order, so
 * that the policy does not hold up the others.
 *
 * @param hooks the policies of each hook; those that depend on the speed of its link have a rate in
 *     bits
 * @param held per policy uid, the interfaces that the policy is on only because a default route led
 *     over them a moment ago
 * @param notAtXdp per policy uid that prefers XDP, the reason why the policy is on the TC hook of
 *     an interface, by the interface's name
 */
public record HookSet(
    Map<HookKey, List<NodePolicy>> hooks,
    Map<String, Set<String>> held,
    Map<String, Map<String, String>> notAtXdp) {
  /** A set without policies. */
  public static final HookSet NONE = new HookSet(Map.of(), Map.of(), Map.of());

  public record HookKey(String interfaceName, int ifindex, HookPoint point, boolean hasEthernet) {
    public Direction direction() {
      return point.direction();
    }

    /** The same interface's hook at another point. */
    public HookKey at(HookPoint other) {
      return new HookKey(interfaceName, ifindex, other, hasEthernet);
    }

    @Override
    public String toString() {
      return interfaceName + " " + point;
    }
  }

  /**
   * The limit is half of the slots, because a policy's old slot is still in use while its new slot
   * begins.
   */
  public static final int MOST_SLOTS = PolicySlots.USABLE / 2;

  /**
   * Assigns policies to hooks.
   *
   * @param xdpRefusals why interfaces have no XDP hook for policies that only prefer it, by index
   * @param failures collects each policy that can't be on a hook that the policy asks for, and the
   *     reason
   */
  public static HookSet of(
      List<NodePolicy> policies,
      HostLinks links,
      Map<Integer, String> xdpRefusals,
      Failures failures) {
    Placing placing = new Placing(links, xdpRefusals, failures);
    policies.stream().sorted(NodePolicy.ORDER).forEach(placing::place);
    return new HookSet(placing.hooks, placing.held, placing.notAtXdp);
  }

  /**
   * The policies that may judge the packets of a hook's interface and direction, in the order in
   * which they do: those at XDP come first.
   */
  List<NodePolicy> inOrder(HookKey hook) {
    return Stream.of(HookPoint.XDP, HookPoint.tc(hook.direction()))
        .filter(point -> point.direction() == hook.direction())
        .flatMap(point -> hooks.getOrDefault(hook.at(point), List.of()).stream())
        .toList();
  }

  private static final class Placing {
    private final HostLinks links;
    private final DeviceStack stack;
    private final Map<Integer, String> xdpRefusals;
    private final Failures failures;
    private final Map<HookKey, List<NodePolicy>> hooks = new LinkedHashMap<>();
    private final Map<HookKey, Integer> terms = new LinkedHashMap<>();
    private final Set<SlotIdentity> slots = new HashSet<>();
    private final Map<String, Set<String>> held = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> notAtXdp = new LinkedHashMap<>();

    Placing(HostLinks links, Map<Integer, String> xdpRefusals, Failures failures) {
      this.links = links;
      this.xdpRefusals = xdpRefusals;
      this.stack = new DeviceStack(links.devices());
      this.failures = failures;
    }

    void place(NodePolicy policy) {
      Map<HookKey, NodePolicy> fitting = new LinkedHashMap<>();
      chargedOnce(policy, selected(policy)).stream()
          .filter(hook -> fits(policy, hook))
          .forEach(hook -> atLinkSpeed(policy, hook).ifPresent(on -> fitting.put(hook, on)));
      Set<SlotIdentity> needed = new HashSet<>(slots);
      fitting.forEach((hook, on) -> needed.addAll(SlotIdentity.all(on, hook.ifindex())));
      if (needed.size() > MOST_SLOTS) {
        failures.add(
            policy.uid(),
            ("a node holds at most %d policies, where a policy with bucket.per Interface"
                    + " counts once per interface and a policy with exceed.action MarkECN or"
                    + " bucket.parent counts twice; this policy and those before it in order make %d")
                .formatted(MOST_SLOTS, needed.size()));
        return;
      }
      slots.addAll(needed);
      fitting.forEach(
          (hook, on) -> {
            hooks.computeIfAbsent(hook, any -> new ArrayList<>()).add(on);
            terms.merge(hook, TermTables.count(on), Integer::sum);
          });
    }

    private Optional<NodePolicy> atLinkSpeed(NodePolicy policy, HookKey hook) {
      Optional<NodePolicy> on = links.atLinkSpeed(policy, hook.ifindex());
      if (on.isEmpty()) {
        failures.add(
            policy.uid(),
            ("%s reports no link speed, so the policy has no rate there and is not on %s; set"
                    + " rate.bitsPerSecond, or leave %s out of interfaces")
                .formatted(hook.interfaceName(), hook.interfaceName(), hook.interfaceName()));
      }
      return on;
    }

    /**
     * The selected hooks, without tunnels whose packets also pass another selected hook. A bucket
     * per interface keeps all hooks.
     */
    private List<HookKey> chargedOnce(NodePolicy policy, List<HookKey> selected) {
      if (policy.per() == BucketPer.Interface) {
        return selected;
      }
      List<HookKey> once = new ArrayList<>();
      for (HookKey hook : selected) {
        List<String> carriers = stack.carriers(hook, selected);
        if (carriers.isEmpty()) {
          once.add(hook);
        } else {
          failures.add(
              policy.uid(),
              ("%s is a tunnel whose packets may also pass %s, which the policy selects too: each"
                      + " packet would be charged twice, so the policy is not on %s; select one of"
                      + " them, or set bucket.per to Interface")
                  .formatted(
                      hook.interfaceName(), String.join(", ", carriers), hook.interfaceName()));
        }
      }
      return once;
    }

    private boolean fits(NodePolicy policy, HookKey hook) {
      int before = hooks.getOrDefault(hook, List.of()).size();
      if (before >= HookConfiguration.MAX_POLICIES) {
        failures.add(
            policy.uid(),
            ("%s: a hook holds at most %d policies, and that many come before this one in"
                    + " order")
                .formatted(hook, HookConfiguration.MAX_POLICIES));
        return false;
      }
      int sum = terms.getOrDefault(hook, 0) + TermTables.count(policy);
      if (sum > TermTables.MAX_TERMS) {
        failures.add(
            policy.uid(),
            ("%s: a hook holds at most %d terms of match and exempt; this policy and those"
                    + " before it in order have %d")
                .formatted(hook, TermTables.MAX_TERMS, sum));
        return false;
      }
      return true;
    }

    /**
     * The hooks of the selected interfaces, each interface once, however many selectors and names
     * match it.
     */
    private List<HookKey> selected(NodePolicy policy) {
      TreeMap<String, NetworkDevice> devices = new TreeMap<>();
      Set<String> matchedNow = new HashSet<>();
      List<String> unmatched = new ArrayList<>();
      for (InterfaceSelector selector : policy.interfaces()) {
        List<NetworkDevice> matching = links.matching(selector);
        for (NetworkDevice device : matching) {
          devices.put(device.name(), device);
          if (!links.isHeld(selector, device)) {
            matchedNow.add(device.name());
          }
        }
        if (matching.isEmpty()) {
          unmatched.add(wanted(selector));
        }
      }
      hold(policy, devices.keySet(), matchedNow);
      if (!unmatched.isEmpty()) {
        failures.add(
            policy.uid(), "this host has no interface " + String.join(", and none ", unmatched));
      }
      return devices.values().stream().flatMap(device -> hook(policy, device).stream()).toList();
    }

    private void hold(NodePolicy policy, Set<String> all, Set<String> matchedNow) {
      Set<String> only = new TreeSet<>(all);
      only.removeAll(matchedNow);
      if (!only.isEmpty()) {
        held.put(policy.uid(), only);
      }
    }

    private Optional<HookKey> hook(NodePolicy policy, NetworkDevice device) {
      Optional<HostLinks.LinkLayer> link = HostLinks.linkLayer(device);
      if (link.isEmpty()) {
        failures.add(
            policy.uid(),
            "interface "
                + device.name()
                + " has an unsupported link layer; supported: Ethernet, and links without a header"
                + " of their own, such as tun and WireGuard"
                + (device.showsOuterHeader()
                    ? "; a GRE tunnel without a fixed remote address shows the outer header: set a"
                        + " remote address, or limit the interface that receives its packets"
                    : ""));
        return Optional.empty();
      }
      HookKey tc =
          new HookKey(
              device.name(),
              device.index(),
              HookPoint.tc(policy.direction()),
              link.get() == ETHERNET);
      return policy.hookOrTc() == Hook.TC ? Optional.of(tc) : xdpHook(policy, tc);
    }

    /** The XDP hook of an interface, or the hook that the policy has instead. */
    private Optional<HookKey> xdpHook(NodePolicy policy, HookKey tc) {
      String refusal =
          tc.hasEthernet()
              ? xdpRefusals.get(tc.ifindex())
              : "its packets have no Ethernet header, and XDP needs one";
      if (policy.hookOrTc() == Hook.XDP && !tc.hasEthernet()) {
        failures.add(
            policy.uid(), "%s: %s; set hook to TC".formatted(tc.at(HookPoint.XDP), refusal));
        return Optional.empty();
      }
      if (policy.hookOrTc() == Hook.XDP || refusal == null) {
        return Optional.of(tc.at(HookPoint.XDP));
      }
      notAtXdp
          .computeIfAbsent(policy.uid(), any -> new TreeMap<>())
          .put(tc.interfaceName(), refusal);
      return Optional.of(tc);
    }

    private static String wanted(InterfaceSelector selector) {
      if (selector.name() != null) {
        return "named " + selector.name();
      }
      if (selector.pattern() == null) {
        return "with a default route";
      }
      String matching = "that matches " + selector.pattern();
      return selector.exclude() == null
          ? matching
          : matching + " and not " + String.join(" or ", selector.exclude());
    }
  }
}
