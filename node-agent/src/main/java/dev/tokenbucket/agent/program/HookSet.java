package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.HostLinks.LinkLayer.ETHERNET;

import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which hook is to run which policies, in their order, on the interfaces that there are now.
 *
 * @param hooks the policies of each hook
 * @param failures for each policy that can't be on a hook it asks for, by uid, why
 */
record HookSet(Map<HookKey, List<NodePolicy>> hooks, Map<String, String> failures) {
  record HookKey(String interfaceName, int ifindex, Direction direction, boolean hasEthernet) {}

  static HookSet of(List<NodePolicy> policies, HostLinks links) {
    HookSet set = new HookSet(new LinkedHashMap<>(), new LinkedHashMap<>());
    policies.stream().sorted(NodePolicy.ORDER).forEach(policy -> set.place(policy, links));
    return set;
  }

  /** Once on each interface, however many selectors and names of it match. */
  private void place(NodePolicy policy, HostLinks links) {
    TreeMap<String, NetworkDevice> selected = new TreeMap<>();
    List<String> unmatched = new ArrayList<>();
    for (InterfaceSelector selector : policy.interfaces()) {
      List<NetworkDevice> matching = links.matching(selector);
      matching.forEach(device -> selected.put(device.name(), device));
      if (matching.isEmpty()) {
        unmatched.add(wanted(selector));
      }
    }
    if (!unmatched.isEmpty()) {
      failures.put(
          policy.uid(), "this host has no interface " + String.join(", and none ", unmatched));
    }
    selected.values().forEach(device -> place(policy, device));
  }

  private void place(NodePolicy policy, NetworkDevice device) {
    HostLinks.linkLayer(device)
        .map(
            link ->
                new HookKey(device.name(), device.index(), policy.direction(), link == ETHERNET))
        .ifPresentOrElse(
            hook -> hooks.computeIfAbsent(hook, k -> new ArrayList<>()).add(policy),
            () ->
                failures.put(
                    policy.uid(),
                    "the link layer of interface "
                        + device.name()
                        + " is none that the classifier reads; it limits Ethernet and links"
                        + " without a header of their own"));
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

  /**
   * Before anything is changed: a set that can't be run as a whole is refused as a whole.
   *
   * @throws IllegalStateException naming the limit that the set is beyond
   */
  void refuseTooLarge() {
    long slots =
        hooks.entrySet().stream()
            .flatMap(
                on ->
                    on.getValue().stream()
                        .flatMap(p -> SlotIdentity.all(p, on.getKey().ifindex()).stream()))
            .distinct()
            .count();
    // While a policy's new slot is begun its old one still holds a place.
    int most = PolicySlots.USABLE / 2;
    if (slots > most) {
      throw new IllegalStateException(
          ("a node holds at most %d policies, one with bucket.per Interface counted for each of its"
                  + " interfaces and one with exceed.action MarkECN twice, not %d")
              .formatted(most, slots));
    }
    hooks.forEach(HookSet::refuseTooLarge);
  }

  private static void refuseTooLarge(HookKey hook, List<NodePolicy> policies) {
    if (policies.size() > HookConfiguration.MAX_POLICIES) {
      throw new IllegalStateException(
          "%s %s: a hook holds at most %d policies, not %d"
              .formatted(
                  hook.interfaceName(),
                  hook.direction(),
                  HookConfiguration.MAX_POLICIES,
                  policies.size()));
    }
    int terms = policies.stream().mapToInt(TermTables::count).sum();
    if (terms > TermTables.MAX_TERMS) {
      throw new IllegalStateException(
          "%s %s: a hook holds at most %d terms of match and exempt, not %d"
              .formatted(hook.interfaceName(), hook.direction(), TermTables.MAX_TERMS, terms));
    }
  }
}
