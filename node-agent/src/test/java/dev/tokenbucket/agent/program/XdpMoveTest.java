// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Policies that move between the XDP hook and the TC hook of a real interface. */
class XdpMoveTest extends VethTest {
  private static final int ENOMEM = 12;
  private static final int EINVAL = 22;
  private static final Set<String> CHANGES = Set.of("attach", "replace", "detach");

  private static NodePolicy policy(int position, Hook hook) {
    return Policy.packets(10 + position, 10)
        .perSource(10)
        .on(NEAR, Direction.Ingress)
        .at(hook)
        .at(position);
  }

  private Kernel failing(int errno, String change, HookPoint point) {
    return watched(
        (method, arguments) -> {
          if (method.getName().equals(change)
              && arguments.stream()
                  .anyMatch(each -> each instanceof Attachment at && at.point() == point)) {
            throw new KernelException("a test", errno);
          }
        });
  }

  /** Each policy on each hook, such as "policy-1 XDP". */
  private Set<String> running() {
    Set<String> running = new TreeSet<>();
    for (RunningHook hook : agent(plain).running()) {
      hook.policies().forEach(policy -> running.add(policy.name() + " " + hook.hook()));
    }
    return running;
  }

  @Test
  void aPolicyMovesToXdpAndBackAndLeavesNoHookBehind() {
    for (Hook hook : List.of(Hook.TC, Hook.XDP, Hook.PreferXDP, Hook.TC)) {
      assertThat(agent(plain).apply(List.of(policy(1, hook)))).isEmpty();
      assertThat(running()).containsExactly("policy-1 " + (hook == Hook.TC ? "TCX" : "XDP"));
    }
    assertThat(agent(plain).apply(List.of())).isEmpty();
    assertThat(running()).isEmpty();
  }

  @Test
  void whileTwoPoliciesChangePlacesEachIsInForceAtAllTimes() {
    agent(plain).apply(List.of(policy(1, Hook.TC), policy(2, Hook.XDP)));
    List<Set<String>> seen = new ArrayList<>();
    Kernel kernel =
        watched(
            (method, arguments) -> {
              if (CHANGES.contains(method.getName())) {
                seen.add(running());
              }
            });

    assertThat(agent(kernel).apply(List.of(policy(1, Hook.XDP), policy(2, Hook.TC)))).isEmpty();

    seen.add(running());
    assertThat(seen).hasSizeGreaterThan(3).allSatisfy(XdpMoveTest::assertBothInForce);
    assertThat(running()).containsExactly("policy-1 XDP", "policy-2 TCX");
  }

  private static void assertBothInForce(Set<String> running) {
    Set<String> names =
        running.stream().map(each -> each.replaceAll(" .*", "")).collect(Collectors.toSet());
    assertThat(names).containsExactlyInAnyOrder("policy-1", "policy-2");
  }

  @Test
  void aPolicyThatCanNotMoveStaysWhereItIsAndTheOthersChange() {
    agent(plain).apply(List.of(policy(1, Hook.TC)));
    NodePolicy moving = policy(1, Hook.XDP);
    Kernel noXdp = failing(ENOMEM, "attach", HookPoint.XDP);

    assertThat(agent(noXdp).apply(List.of(moving))).containsOnlyKeys(moving.uid());
    assertThat(running()).as("nothing else is on TC").containsExactly("policy-1 TCX");

    NodePolicy other = policy(2, Hook.TC);
    assertThat(agent(noXdp).apply(List.of(moving, other))).containsOnlyKeys(moving.uid());
    assertThat(running()).containsExactly("policy-1 TCX", "policy-2 TCX");

    assertThat(agent(plain).apply(List.of(moving, other))).isEmpty();
    assertThat(running()).containsExactly("policy-1 XDP", "policy-2 TCX");

    Kernel noTc = failing(ENOMEM, "replace", HookPoint.INGRESS);
    NodePolicy back = policy(1, Hook.TC);
    assertThat(agent(noTc).apply(List.of(back, other))).containsOnlyKeys(back.uid(), other.uid());
    assertThat(running()).containsExactly("policy-1 XDP", "policy-2 TCX");
  }

  /** XDP programs for frames of several buffers need Linux 5.18. */
  @Test
  void aKernelThatDoesNotLoadTheXdpProgramHasThePoliciesThatPreferItAtTc() {
    Kernel old =
        watched(
            (method, arguments) -> {
              if (method.getName().equals("loadWithMap")
                  && arguments.get(0) instanceof Path object
                  && object.endsWith("xdp.bpf.o")) {
                throw new KernelException("loading a BPF object", EINVAL);
              }
            });
    Programmer agent = agent(old);

    NodePolicy insists = policy(2, Hook.XDP);
    assertThat(agent.apply(List.of(policy(1, Hook.PreferXDP), insists)))
        .containsOnlyKeys(insists.uid());

    assertThat(running()).containsExactly("policy-1 TCX");
    assertThat(agent.warnings().get("policy-1"))
        .anySatisfy(each -> assertThat(each).contains("XDP programs need Linux 5.18"));
  }
}
