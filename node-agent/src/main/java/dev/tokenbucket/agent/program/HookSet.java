package dev.tokenbucket.agent.program;

import static dev.tokenbucket.agent.program.HostInterfaces.LinkLayer.ETHERNET;

import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.agent.program.HostInterfaces.LinkLayer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/**
 * Which hook is to run which policies, in their order, on the interfaces that there are now.
 *
 * @param hooks the policies of each hook
 * @param failures for each policy that can't be on a hook it asks for, by uid, why
 */
record HookSet(Map<HookKey, List<NodePolicy>> hooks, Map<String, String> failures) {
  record HookKey(String interfaceName, int ifindex, Direction direction, boolean hasEthernet) {}

  static HookSet of(List<NodePolicy> policies, HostInterfaces interfaces) {
    HookSet set = new HookSet(new LinkedHashMap<>(), new LinkedHashMap<>());
    Look look = new Look(interfaces, new HashMap<>(), new HashMap<>());
    policies.stream().sorted(NodePolicy.ORDER).forEach(policy -> set.place(policy, look));
    return set;
  }

  /** The host's interfaces at one moment: many policies select the same ones. */
  private record Look(
      HostInterfaces interfaces,
      Map<List<InterfaceSelector>, SortedMap<String, Integer>> selected,
      Map<String, Optional<LinkLayer>> linkLayers) {
    SortedMap<String, Integer> select(List<InterfaceSelector> selectors) {
      return selected.computeIfAbsent(selectors, interfaces::select);
    }

    Optional<LinkLayer> linkLayer(String name) {
      return linkLayers.computeIfAbsent(name, interfaces::linkLayer);
    }
  }

  private void place(NodePolicy policy, Look interfaces) {
    var selected = interfaces.select(policy.interfaces());
    if (selected.isEmpty()) {
      failures.put(policy.uid(), "this host has no interface " + wanted(policy.interfaces()));
    }
    selected.forEach(
        (name, index) ->
            interfaces
                .linkLayer(name)
                .map(link -> new HookKey(name, index, policy.direction(), link == ETHERNET))
                .ifPresentOrElse(
                    hook -> hooks.computeIfAbsent(hook, k -> new ArrayList<>()).add(policy),
                    () ->
                        failures.put(
                            policy.uid(),
                            "the link layer of interface "
                                + name
                                + " is none that the classifier reads; it limits Ethernet and links"
                                + " without a header of their own")));
  }

  private static String wanted(List<InterfaceSelector> selectors) {
    return selectors.stream().map(HookSet::wanted).collect(Collectors.joining(" or "));
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
