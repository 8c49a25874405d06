// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.agent.kernel.LinkSpeeds;
import dev.tokenbucket.agent.kernel.NetworkDevice;
import dev.tokenbucket.agent.program.Policy;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The hooks of policies at XDP and at TC. */
class XdpPlacingTest {
  private static final long SECOND = 1_000_000_000L;
  private static final NetworkDevice ETH0 = device(2, "eth0", 1);
  private static final NetworkDevice TUN = device(3, "tun0", 65534);
  private static final HostLinks LINKS =
      new HostLinks(
          List.of(ETH0, TUN), Set.of(ETH0.index(), TUN.index()), Set.of(), LinkSpeeds.UNKNOWN);

  private final Failures failures = new Failures();

  private static NetworkDevice device(int index, String name, int type) {
    return new NetworkDevice(
        index, name, List.of(), type, "", Optional.empty(), Optional.empty(), false);
  }

  private static NodePolicy policy(int position, Hook hook) {
    return Policy.packets(10, 1).at(hook).at(position);
  }

  private HookSet placed(Map<Integer, String> refusals, NodePolicy... policies) {
    return HookSet.of(List.of(policies), LINKS, refusals, failures);
  }

  private static List<String> hooks(HookSet set) {
    return set.hooks().keySet().stream().map(HookKey::toString).toList();
  }

  @Test
  void whatPrefersXdpIsAtTcWhereAnInterfaceRefusesOrHasNoEthernetHeader() {
    HookSet set = placed(Map.of(), policy(1, Hook.PreferXDP));
    assertThat(hooks(set)).containsExactly("eth0 XDP", "tun0 Ingress");

    set = placed(Map.of(ETH0.index(), "no"), policy(1, Hook.PreferXDP));
    assertThat(hooks(set)).containsExactly("eth0 Ingress", "tun0 Ingress");
    assertThat(set.notAtXdp().get("policy-1"))
        .isEqualTo(
            Map.of("eth0", "no", "tun0", "its packets have no Ethernet header, and XDP needs one"));
    assertThat(failures.byUid()).isEmpty();
  }

  @Test
  void whatInsistsOnXdpIsNowhereElseAndSaysWhy() {
    HookSet set = placed(Map.of(ETH0.index(), "no"), policy(1, Hook.XDP));

    assertThat(hooks(set)).as("the refusal is said when it is met").containsExactly("eth0 XDP");
    assertThat(failures.byUid().get("policy-1"))
        .isEqualTo(
            "tun0 XDP: its packets have no Ethernet header, and XDP needs one; set hook to TC");
  }

  @Test
  void policiesForXdpJudgeFirstOnEitherHook() {
    NodePolicy first = policy(1, Hook.TC);
    NodePolicy second = policy(2, Hook.PreferXDP);
    HookSet set = placed(Map.of(), first, second);

    set.hooks()
        .keySet()
        .forEach(hook -> assertThat(set.inOrder(hook)).containsExactly(second, first));
  }

  @Test
  void aRefusalIsForgottenAfterItsTimeOrWithItsInterface() {
    XdpRefusals refusals = new XdpRefusals();
    refusals.add(ETH0.index(), "no", SECOND);
    refusals.add(9, "of an interface that is gone", SECOND);
    assertThat(refusals.reasons(LINKS, SECOND)).isEqualTo(Map.of(ETH0.index(), "no"));

    long end = SECOND + XdpRefusals.TIME.toNanos();
    assertThat(refusals.ends(end - 1)).isFalse();
    assertThat(refusals.ends(end)).isTrue();
    assertThat(refusals.reasons(LINKS, end)).isEmpty();
  }
}
