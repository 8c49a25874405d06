// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.LastSpeeds;
import dev.tokenbucket.agent.kernel.LinkSpeeds;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.program.Policy;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Interfaces that one policy may not have together, or at all. */
class HookSetTest {
  private static final int ETHERNET = 1;
  private static final int NO_HEADER = 65534;

  private static NetworkDevice device(
      int index, String name, int type, String kind, int lower, boolean showsOuterHeader) {
    return new NetworkDevice(
        index,
        name,
        List.of(),
        type,
        kind,
        Optional.of(lower).filter(i -> i > 0),
        Optional.empty(),
        showsOuterHeader);
  }

  private static final NetworkDevice ETH0 = device(2, "eth0", ETHERNET, "", 0, false);
  private static final NetworkDevice ETH1 = device(3, "eth1", ETHERNET, "", 0, false);
  private static final NetworkDevice VXLAN = device(4, "vxlan1", ETHERNET, "vxlan", 2, false);
  private static final NetworkDevice WIREGUARD = device(5, "wg0", NO_HEADER, "wireguard", 0, false);
  private static final NetworkDevice VLAN = device(6, "eth0.7", ETHERNET, "vlan", 2, false);
  private static final NetworkDevice GRE = device(7, "gre1", 778, "gre", 0, true);

  private final Failures failures = new Failures();

  /** By interface index, the speeds that links report now. */
  private final Map<Integer, Long> reported = new HashMap<>();

  private final LinkSpeeds speeds =
      new LastSpeeds(index -> Optional.ofNullable(reported.get(index)));

  /** Places a policy on all of these interfaces; returns the ones where it is. */
  private List<String> on(Policy policy, NetworkDevice... devices) {
    return place(policy, devices).hooks().keySet().stream().map(HookKey::interfaceName).toList();
  }

  /** Places a policy on all of these interfaces. */
  private HookSet place(Policy policy, NetworkDevice... devices) {
    Set<Integer> all = Set.copyOf(List.of(devices).stream().map(NetworkDevice::index).toList());
    return HookSet.of(
        List.of(policy.at(1)),
        new HostLinks(List.of(devices), all, Set.of(), speeds),
        Map.of(),
        failures);
  }

  private String reason() {
    return Map.copyOf(failures.byUid()).getOrDefault("policy-1", "");
  }

  @Test
  void aTunnelAndWhatCarriesItHaveNoBucketInCommon() {
    Policy policy = Policy.packets(10, 1);
    assertThat(on(policy, ETH0, ETH1, VXLAN)).containsExactly("eth0", "eth1");
    assertThat(reason())
        .isEqualTo(
            "vxlan1 is a tunnel whose packets may also pass eth0, which the policy selects too:"
                + " each packet would be charged twice, so the policy is not on vxlan1; select one"
                + " of them, or set bucket.per to Interface");
  }

  /** Only routes know by which interface it leaves. */
  @Test
  void aTunnelThatRoutesCarryMayComeByAnyOther() {
    Policy policy = Policy.packets(10, 1).per(BucketPer.SourceIP, 16);
    assertThat(on(policy, ETH0, ETH1, WIREGUARD)).containsExactly("eth0", "eth1");
    assertThat(reason()).startsWith("wg0 is a tunnel whose packets may also pass eth0, eth1");
  }

  @Test
  void whatIsChargedOnceIsPlacedEverywhere() {
    Policy policy = Policy.packets(10, 1);
    assertThat(on(policy, ETH1, VXLAN)).containsExactly("eth1", "vxlan1");
    assertThat(on(policy, WIREGUARD)).containsExactly("wg0");
    assertThat(on(policy, ETH0, VLAN)).as("that is warned of").containsExactly("eth0", "eth0.7");
    assertThat(on(policy.per(BucketPer.Interface, 1), ETH0, VXLAN, WIREGUARD))
        .containsExactly("eth0", "vxlan1", "wg0");
    assertThat(failures.byUid()).isEmpty();
  }

  /** By interface, the rate of the one policy there. */
  private Map<String, String> rates(NetworkDevice... devices) {
    Map<String, String> rates = new TreeMap<>();
    place(Policy.percentOfLinkSpeed(10), devices)
        .hooks()
        .forEach((hook, on) -> rates.put(hook.interfaceName(), on.get(0).tokenRate().text()));
    return rates;
  }

  @Test
  void eachInterfaceHasItsPercentageAndOneWithoutASpeedIsNamed() {
    reported.put(ETH0.index(), 25_000L);
    reported.put(ETH1.index(), 1_000L);

    assertThat(rates(ETH0, ETH1, WIREGUARD))
        .isEqualTo(Map.of("eth0", "2.5 Gbit/s", "eth1", "100 Mbit/s"));
    assertThat(reason())
        .isEqualTo(
            "wg0 reports no link speed, so the policy has no rate there and is not on wg0; set"
                + " rate.bitsPerSecond, or leave wg0 out of interfaces");
  }

  /** A link that negotiates reports no speed meanwhile; the bucket is the same before and after. */
  @Test
  void aLinkThatNegotiatesAnotherSpeedKeepsItsLimitAndItsBucket() {
    reported.put(ETH0.index(), 1_000L);
    HookSet before = place(Policy.percentOfLinkSpeed(10), ETH0);
    reported.clear();
    assertThat(place(Policy.percentOfLinkSpeed(10), ETH0)).isEqualTo(before);
    reported.put(ETH0.index(), 2_500L);
    HookSet after = place(Policy.percentOfLinkSpeed(10), ETH0);

    assertThat(after).isNotEqualTo(before);
    assertThat(rates(ETH0)).isEqualTo(Map.of("eth0", "250 Mbit/s"));
    assertThat(slots(after)).isEqualTo(slots(before));
    assertThat(failures.byUid()).isEmpty();

    speeds.forgetAllBut(List.of(ETH1.index()));
    reported.clear();
    assertThat(rates(ETH0)).as("another interface may have the index").isEmpty();
  }

  private static List<SlotIdentity> slots(HookSet set) {
    return set.hooks().entrySet().stream()
        .flatMap(
            hook ->
                hook.getValue().stream()
                    .flatMap(on -> SlotIdentity.all(on, hook.getKey().ifindex()).stream()))
        .toList();
  }

  @Test
  void greWithoutAFixedRemoteIsRefused() {
    assertThat(on(Policy.packets(10, 1).per(BucketPer.Interface, 1), ETH0, GRE))
        .containsExactly("eth0");
    assertThat(reason())
        .startsWith("interface gre1 has an unsupported link layer")
        .contains("a GRE tunnel without a fixed remote address shows the outer header");
  }
}
