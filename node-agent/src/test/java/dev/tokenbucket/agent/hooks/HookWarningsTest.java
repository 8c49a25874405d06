// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.hooks.HookWarnings.Situation;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.program.Policy;
import dev.tokenbucket.agent.program.Terms;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HookWarningsTest {
  private static final HookKey ETH0 = new HookKey("eth0", 2, HookPoint.INGRESS, true);
  private static final HookKey VLAN = new HookKey("eth0.7", 3, HookPoint.INGRESS, true);
  private static final HookKey BOND = new HookKey("bond0", 4, HookPoint.INGRESS, true);

  private static final List<NetworkDevice> DEVICES =
      List.of(
          device(2, "eth0", 0, 4),
          device(3, "eth0.7", 2, 0),
          device(4, "bond0", 0, 0),
          device(5, "eth1", 0, 0),
          new NetworkDevice(
              6, "wg0", List.of(), 65534, "wireguard", Optional.empty(), Optional.empty(), false));

  private static NetworkDevice device(int index, String name, int lower, int master) {
    return new NetworkDevice(
        index,
        name,
        List.of(),
        1,
        "",
        Optional.of(lower).filter(i -> i > 0),
        Optional.of(master).filter(i -> i > 0),
        false);
  }

  private static NodePolicy policy(int position) {
    return Policy.packets(10, 1).at(position);
  }

  private static Situation situation(
      Map<HookKey, List<NodePolicy>> hooks,
      List<NetworkDevice> devices,
      Map<HookKey, Integer> foreignBefore) {
    return new Situation(new HookSet(hooks, Map.of(), Map.of()), devices, foreignBefore);
  }

  private static Map<String, List<String>> of(Map<HookKey, List<NodePolicy>> hooks) {
    return HookWarnings.of(situation(hooks, DEVICES, Map.of()));
  }

  @Test
  void onePolicyOnUnrelatedInterfacesIsNotWarnedOf() {
    HookKey other = new HookKey("eth1", 5, HookPoint.INGRESS, true);

    assertThat(of(Map.of(ETH0, List.of(policy(1)), other, List.of(policy(1))))).isEmpty();
  }

  @Test
  void policiesThatMayJudgeTheSamePacketsAreToldTheirOrder() {
    List<NodePolicy> three = List.of(policy(1), policy(2), policy(3));
    Map<HookKey, List<NodePolicy>> hooks = new LinkedHashMap<>();
    hooks.put(ETH0, three);
    hooks.put(new HookKey("eth1", 5, HookPoint.INGRESS, true), three);

    assertThat(HookWarnings.of(situation(hooks, List.of(), Map.of())))
        .containsEntry(
            "policy-2",
            List.of(
                "eth0, eth1 Ingress: may judge the same packets, before this one policy-1, after"
                    + " this one policy-3"));
  }

  @Test
  void policiesThatTheirTermsKeepApartAreNotWarnedOf() {
    NodePolicy web = Policy.packets(10, 1).matching(Terms.to("10.1.0.0/16")).at(1);
    NodePolicy dns = Policy.packets(10, 1).matching(Terms.to("10.2.0.0/16")).at(2);

    assertThat(of(Map.of(ETH0, List.of(web, dns)))).isEmpty();
  }

  @Test
  void oneBucketOverStackedDevicesIsWarnedOfByName() {
    List<NodePolicy> one = List.of(policy(1));

    assertThat(of(Map.of(ETH0, one, VLAN, one)).get("policy-1"))
        .singleElement()
        .asString()
        .startsWith("eth0.7 is stacked on eth0 and the policy selects both");
    assertThat(of(Map.of(ETH0, one, BOND, one)).get("policy-1"))
        .singleElement()
        .asString()
        .startsWith("bond0 is stacked on eth0");
  }

  @Test
  void aBucketForEachInterfaceIsNotWarnedOf() {
    List<NodePolicy> one = List.of(Policy.packets(10, 1).per(BucketPer.Interface, 1).at(1));

    assertThat(of(Map.of(ETH0, one, VLAN, one))).isEmpty();
  }

  @Test
  void devicesInACircleEndTheSearch() {
    List<NodePolicy> one = List.of(policy(1));
    List<NetworkDevice> circle = List.of(device(2, "eth0", 3, 0), device(3, "eth0.7", 2, 0));

    assertThat(
            HookWarnings.of(situation(Map.of(ETH0, one, VLAN, one), circle, Map.of()))
                .get("policy-1"))
        .hasSize(2);
  }

  @Test
  void anInterfaceThatIsHeldIsWarnedOf() {
    HookSet set =
        new HookSet(Map.of(ETH0, List.of(policy(1))), Map.of("policy-1", Set.of("eth0")), Map.of());

    assertThat(HookWarnings.of(new Situation(set, DEVICES, Map.of())).get("policy-1"))
        .singleElement()
        .asString()
        .startsWith("eth0 lost its default route; the interface stays limited for 30 s");
  }

  @Test
  void programsOfOthersBeforeOursAreWarnedOf() {
    assertThat(
            HookWarnings.of(situation(Map.of(ETH0, List.of(policy(1))), DEVICES, Map.of(ETH0, 2)))
                .get("policy-1"))
        .singleElement()
        .asString()
        .startsWith("eth0 Ingress: 2 other TCX programs run first");
  }

  @Test
  void warningsAndTheNamesInThemAreBounded() {
    List<NodePolicy> many = IntStream.range(0, 64).mapToObj(HookWarningsTest::policy).toList();
    Map<HookKey, List<NodePolicy>> hooks = new LinkedHashMap<>();
    Map<HookKey, Integer> foreign = new LinkedHashMap<>();
    for (int i = 1; i <= 20; i++) {
      HookKey hook = new HookKey("eth" + i, i, HookPoint.INGRESS, true);
      hooks.put(hook, many);
      foreign.put(hook, 1);
    }
    List<String> warnings =
        HookWarnings.of(situation(hooks, List.of(), foreign)).getOrDefault("policy-30", List.of());

    assertThat(warnings).hasSize(HookWarnings.MOST);
    assertThat(warnings.get(15)).isEqualTo("and 6 more");
    assertThat(HookWarnings.of(situation(hooks, List.of(), Map.of())).get("policy-30"))
        .containsExactly(
            "eth1, eth2, eth3 and 17 more Ingress: may judge the same packets, before this one"
                + " policy-0, policy-1, policy-2 and 27 more, after this one policy-31, policy-32,"
                + " policy-33 and 30 more");
  }
}
