// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.api.v1alpha1.AddressSetRef;
import dev.tokenbucket.api.v1alpha1.AddressSets;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetSpec;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Terms whose networks come from address sets, in the kernel. Needs root. */
class AddressSetMatchTest extends KernelTest {
  private static final Policy ONE = Policy.packets(1, 1);
  private static final AddressSetRef SET = new AddressSetRef("s", "", 0);

  private static NodeMatchTerm from(List<String> cidrs, AddressSetRef... sets) {
    return new NodeMatchTerm(
        null,
        cidrs,
        List.of(),
        List.of(),
        List.of(),
        false,
        List.of(),
        List.of(),
        null,
        null,
        List.of(),
        List.of(),
        null,
        List.of(sets),
        List.of());
  }

  /** The term as the agent programs it once the set has these networks. */
  private static NodeMatchTerm expanded(NodeMatchTerm term, List<String> set) {
    NodePolicy policy = ONE.matching(term).at(0);
    return AddressSets.expand(policy, ref -> set).match().get(0);
  }

  private boolean judges(NodeMatchTerm term, String source) {
    try (VirtualHook hook = hook(ONE.matching(term))) {
      return hook.passing(3, Frames.udp(source, 100)) == 1;
    }
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2", "fd00::2", "0.0.0.0"})
  void anEmptySetMatchesNothing(String source) {
    assertThat(judges(expanded(from(List.of(), SET), List.of()), source)).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.2, true", "11.0.0.2, true", "12.0.0.2, false", "fd00::2, false"})
  void aTermsNetworksAndItsSetsAreOneCondition(String source, boolean judged) {
    NodeMatchTerm term = from(List.of("10.0.0.0/8"), SET);
    assertThat(judges(expanded(term, List.of("11.0.0.0/8")), source)).isEqualTo(judged);
  }

  /** Half of IPv4, half of IPv6; each second one is missing. */
  @Test
  void aSetAtTheLimitIsJudgedExactly() {
    List<String> set =
        IntStream.range(0, TokenBucketAddressSetSpec.MAX_CIDRS / 2)
            .mapToObj(
                i ->
                    List.of(
                        "10.%d.%d.%d/31".formatted(i >> 14, i >> 6 & 255, (i & 63) << 2),
                        "2001:db8:%x:%x::/64".formatted(i, i)))
            .flatMap(List::stream)
            .toList();
    NodeMatchTerm term = expanded(from(List.of(), SET), set);
    assertThat(term.sourceCIDRs()).hasSize(TokenBucketAddressSetSpec.MAX_CIDRS);

    assertThat(judges(term, "10.0.0.1")).isTrue();
    assertThat(judges(term, "10.0.0.2")).isFalse();
    assertThat(judges(term, "10.0.78.28")).isTrue();
    assertThat(judges(term, "10.0.78.32")).isFalse();
    assertThat(judges(term, "2001:db8:1387:1387::1")).isTrue();
    assertThat(judges(term, "2001:db8:1387:1388::1")).isFalse();
  }
}
