// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.Attachment;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.Test;

/** One injected kernel fault, and what happens to everything that the fault does not concern. */
class IsolationTest extends VethTest {
  private static final int ENOMEM = 12;

  private static NodePolicy policy(String on, Direction direction, int rate, int position) {
    return Policy.packets(rate, 10).perSource(10).on(on, direction).at(position);
  }

  /** A kernel that lacks memory at some calls. */
  private Kernel failing(BiPredicate<Method, List<Object>> at) {
    return watched(
        (method, arguments) -> {
          if (at.test(method, arguments)) {
            throw new KernelException("a test", ENOMEM);
          }
        });
  }

  /** Fails what changes one hook. */
  private Kernel failingAt(String change, String interfaceName) {
    int index = plain.interfaceIndex(interfaceName).orElseThrow();
    return failing(
        (method, arguments) ->
            method.getName().equals(change)
                && arguments.stream()
                    .anyMatch(each -> each instanceof Attachment at && at.ifindex() == index));
  }

  /** By interface and direction the rate of the one policy that runs there. */
  private Map<String, Long> running() {
    Map<String, Long> rates = new HashMap<>();
    for (RunningHook hook : agent(plain).running()) {
      assertThat(hook.policies()).hasSize(1);
      rates.put(hook.interfaceName() + " " + hook.direction(), hook.policies().get(0).rate());
    }
    return rates;
  }

  @Test
  void aHookThatCantBeAttachedToIsItsOwnPolicysFailure() {
    NodePolicy goes = policy(FAR, Direction.Egress, 1, 2);
    agent(plain).apply(List.of(goes));
    NodePolicy near = policy(NEAR, Direction.Ingress, 10, 0);
    NodePolicy far = policy(FAR, Direction.Ingress, 20, 1);

    Map<String, String> failures = agent(failingAt("attach", NEAR)).apply(List.of(near, far));

    assertThat(failures).containsOnlyKeys(near.uid());
    assertThat(failures.get(near.uid())).startsWith(NEAR + " Ingress: a test failed: ENOMEM");
    assertThat(running()).isEqualTo(Map.of(FAR + " Ingress", 20L));
    assertThat(agent(plain).apply(List.of(near, far))).isEmpty();
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 10L, FAR + " Ingress", 20L));
  }

  /**
   * A policy with another kind of bucket needs another slot. The program that stays uses the old
   * slot.
   */
  @Test
  void aProgramThatCantBeExchangedGoesOnWithItsBuckets() {
    NodePolicy before = policy(NEAR, Direction.Ingress, 10, 0);
    NodePolicy after = Policy.packets(30, 10).on(NEAR, Direction.Ingress).at(0);
    NodePolicy far = policy(FAR, Direction.Ingress, 20, 1);
    agent(plain).apply(List.of(before));

    Map<String, String> failures = agent(failingAt("replace", NEAR)).apply(List.of(after, far));

    assertThat(failures).containsOnlyKeys(after.uid());
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 10L, FAR + " Ingress", 20L));
    assertThat(agent(plain).apply(List.of(after, far))).isEmpty();
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 30L, FAR + " Ingress", 20L));
  }

  @Test
  void aPolicyWithoutMemoryForItsTableLeavesTheOthersOfItsHookInForce() {
    NodePolicy wide = policy(NEAR, Direction.Ingress, 10, 0);
    NodePolicy node = Policy.packets(20, 10).on(NEAR, Direction.Ingress).at(1);
    Kernel noTables = failing((method, arguments) -> method.getName().equals("createHash"));

    Map<String, String> failures = agent(noTables).apply(List.of(wide, node));

    assertThat(failures).containsOnlyKeys(wide.uid());
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 20L));
  }

  /** The agent does not give up the present limit for one that it can't have. */
  @Test
  void aPolicyThatCantGetItsNewTableKeepsItsLimit() {
    NodePolicy before = policy(NEAR, Direction.Ingress, 10, 0);
    NodePolicy after = Policy.packets(30, 10).perSource(1_000).on(NEAR, Direction.Ingress).at(0);
    agent(plain).apply(List.of(before));
    Kernel noTables = failing((method, arguments) -> method.getName().equals("createHash"));

    assertThat(agent(noTables).apply(List.of(after))).containsOnlyKeys(after.uid());

    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 10L));
    assertThat(agent(plain).apply(List.of(after))).isEmpty();
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 30L));
  }

  @Test
  void aHookThatCantBeFreedIsSaidAndTheOthersAreFreed() {
    NodePolicy near = policy(NEAR, Direction.Ingress, 10, 0);
    NodePolicy far = policy(FAR, Direction.Ingress, 20, 1);
    NodePolicy stays = policy(FAR, Direction.Egress, 30, 2);
    agent(plain).apply(List.of(near, far, stays));

    Map<String, String> failures = agent(failingAt("detach", NEAR)).apply(List.of(stays));

    assertThat(failures).containsOnlyKeys(Failures.HOST);
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 10L, FAR + " Egress", 30L));
    assertThat(agent(plain).apply(List.of(stays))).isEmpty();
    assertThat(running()).isEqualTo(Map.of(FAR + " Egress", 30L));
  }

  /** No policy is left that could carry the failure. */
  @Test
  void theLastHookThatCantBeFreedIsSaidAndTriedAgain() {
    NodePolicy near = policy(NEAR, Direction.Ingress, 10, 0);
    agent(plain).apply(List.of(near));

    assertThat(agent(failingAt("detach", NEAR)).apply(List.of())).containsOnlyKeys(Failures.HOST);
    assertThat(running()).isEqualTo(Map.of(NEAR + " Ingress", 10L));
    assertThat(agent(plain).apply(List.of())).isEmpty();
    assertThat(running()).isEmpty();
  }
}
