// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.kernel.ProgramSize;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.slots.HashKey;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/**
 * Every variant of the classifier loads, and its size is printed, so that growth is seen. VLAN tags
 * are part of every Ethernet variant. Needs root.
 */
class VerifierGateTest extends KernelTest {
  private static final int POLICIES = 64;

  /**
   * Instructions that the verifier may walk. A new interface waits for that walk: 10,000 take some
   * 20 ms.
   */
  private static final int MOST_VERIFIED = 70_000;

  /** A way in which variants differ. */
  private record Choice(String name, UnaryOperator<Policy> of) {}

  private static final List<Choice> KEYS =
      List.of(
          new Choice("Node", policy -> policy),
          new Choice("SourceIP", policy -> policy.per(BucketPer.SourceIP, 16)),
          new Choice("DestinationIP", policy -> policy.per(BucketPer.DestinationIP, 16)),
          new Choice("Pair", policy -> policy.per(BucketPer.SourceAndDestinationIP, 16)),
          new Choice("Flow", policy -> policy.per(BucketPer.Flow, 16)));

  private static final List<Choice> MATCHES =
      List.of(
          new Choice("all", policy -> policy),
          new Choice(
              "every field, failsafe",
              policy ->
                  policy
                      .matching(Terms.everyField(), Terms.icmp(Terms.ICMP, 8, null))
                      .exempting(Terms.everyField())
                      .withFailsafes()));

  private static final List<Choice> ACTIONS =
      List.of(
          new Choice("Drop", policy -> policy),
          new Choice("MarkECN", Policy::markingEcn),
          new Choice("SetDSCP", policy -> policy.settingDscp(10)));

  private static final List<Policy> UNITS =
      List.of(Policy.packets(1000, 1000), Policy.bytes(1_000_000, 1_000_000));

  @Test
  void everyVariantLoadsAndTellsItsInstructions() {
    Path compiled = new ClassifierCompiler(objects).compile(List.of());
    List<Variant> variants = variants();
    List<String> refused = new ArrayList<>();
    for (Variant variant : variants) {
      try {
        ProgramSize size = load(compiled, variant.ethernet(), variant.policies());
        System.out.printf(
            "%-70s %6d instructions, %7d walked by the verifier%n",
            variant.name(), size.instructions(), size.verified());
        assertThat(size.verified()).as(variant.name()).isLessThan(MOST_VERIFIED);
      } catch (KernelException e) {
        refused.add(variant.name() + ": " + e.getMessage());
      }
    }
    assertThat(refused).isEmpty();
  }

  private record Variant(String name, boolean ethernet, List<Policy> policies) {}

  private static List<Variant> variants() {
    List<Variant> variants = new ArrayList<>();
    for (Choice key : KEYS) {
      for (Choice match : MATCHES) {
        for (Choice action : ACTIONS) {
          for (Policy unit : UNITS) {
            for (boolean ethernet : new boolean[] {true, false}) {
              Policy policy = action.of().apply(match.of().apply(key.of().apply(unit)));
              variants.add(
                  new Variant(
                      "%-18s %-22s %-8s %-8s %-8s"
                          .formatted(
                              key.name(),
                              match.name(),
                              action.name(),
                              unit.at(0).unit(),
                              ethernet ? "Ethernet" : "IP"),
                      ethernet,
                      List.of(policy)));
            }
          }
        }
      }
    }
    Policy capped = UNITS.get(0).per(BucketPer.SourceIP, 16).withParent(1, 1);
    variants.add(new Variant("SourceIP in parent", true, List.of(capped)));
    Policy evictingInParent =
        UNITS.get(1).per(BucketPer.Flow, 16).evicting().withParent(8, 1514).settingDscp(10);
    variants.add(new Variant("Flow evicting, in parent", true, List.of(evictingInParent)));
    for (BucketPer per : List.of(BucketPer.SourceIP, BucketPer.Flow)) {
      Policy evicting = UNITS.get(0).per(per, 16).evicting().markingEcn().withFailsafes();
      variants.add(new Variant(per + " evicting", true, List.of(evicting)));
    }
    variants.add(new Variant("%d policies, of all kinds".formatted(POLICIES), true, most()));
    return variants;
  }

  /** A hook's most policies. */
  private static List<Policy> most() {
    List<Policy> most = new ArrayList<>();
    for (int i = 0; i < POLICIES; i++) {
      Policy policy = UNITS.get(i % 2);
      policy = KEYS.get(i % KEYS.size()).of().apply(policy);
      policy = MATCHES.get(i % MATCHES.size()).of().apply(policy);
      policy = ACTIONS.get(i / 3 % ACTIONS.size()).of().apply(policy);
      boolean isCapped = i % 7 == 0 && policy.at(0).per().isTabled();
      most.add(isCapped ? policy.withParent(1, 1) : policy);
    }
    return most;
  }

  private ProgramSize load(Path compiled, boolean ethernet, List<Policy> policies) {
    LinuxKernel kernel = new LinuxKernel();
    List<Placed> placed = new ArrayList<>();
    for (Policy policy : policies) {
      int at = placed.size();
      placed.add(new Placed(policy.at(at), 2 * at, 2 * at + 1, 2 * at + 1));
    }
    HookConfiguration configuration =
        HookConfiguration.of(
            HashKey.random(), Direction.Ingress, ethernet, placed, FailsafeSettings.LINK_ONLY);
    int program =
        kernel.load(
            compiled.resolve("classifier.bpf.o"),
            "tokenbucket",
            Map.of(),
            Map.of(".rodata.hook", configuration.encode()),
            configuration.maps());
    try {
      return ProgramSize.of(program);
    } finally {
      kernel.close(program);
    }
  }
}
