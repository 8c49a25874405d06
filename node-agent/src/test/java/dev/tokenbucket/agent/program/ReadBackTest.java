// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * {@code tb status} reads in a separate process while the agent changes the objects, at each of the
 * reader's calls in turn. The output shows the state before or after the change, and reading never
 * fails.
 */
class ReadBackTest extends VethTest {
  /** Bounds the loop; a read makes fewer calls. */
  private static final int MOST_CALLS = 200;

  private static final NodePolicy STEADY =
      Policy.packets(10, 10).perSource(10).on(NEAR, Direction.Ingress).at(0);
  private static final NodePolicy SECOND =
      Policy.packets(20, 10).perSource(20).on(NEAR, Direction.Ingress).at(1);

  static List<List<NodePolicy>> changes() {
    return List.of(List.of(), List.of(STEADY, SECOND));
  }

  @ParameterizedTest
  @MethodSource("changes")
  void aChangeAtAnyCallOfAReadNeitherFailsItNorHidesAHook(List<NodePolicy> after) {
    boolean changed = true;
    int at = 1;
    for (; changed && at < MOST_CALLS; at++) {
      agent(plain).apply(List.of(STEADY));
      Interrupted kernel = new Interrupted(at, () -> agent(plain).apply(after));

      List<RunningHook> read = agent(kernel.proxy()).running();

      changed = kernel.calls >= at;
      assertThat(ratesOf(read))
          .as("changed at call %d", at)
          .isIn(List.of(List.of(10L)), rates(changed ? after : List.of(STEADY)));
    }
    assertThat(at).isBetween(10, MOST_CALLS - 1);
  }

  private static List<List<Long>> rates(List<NodePolicy> set) {
    return set.isEmpty() ? List.of() : List.of(set.stream().map(NodePolicy::rate).toList());
  }

  /** By hook the rates of its policies. */
  private static List<List<Long>> ratesOf(List<RunningHook> hooks) {
    return hooks.stream()
        .map(hook -> hook.policies().stream().map(RunningHook.RunningPolicy::rate).toList())
        .toList();
  }

  /** A kernel that another agent changes before the call of a number, once. */
  private final class Interrupted {
    private final int at;
    private final Runnable change;
    private int calls;

    Interrupted(int at, Runnable change) {
      this.at = at;
      this.change = change;
    }

    Kernel proxy() {
      return (Kernel)
          Proxy.newProxyInstance(
              Kernel.class.getClassLoader(),
              new Class<?>[] {Kernel.class},
              (proxy, method, arguments) -> {
                if (++calls == at) {
                  change.run();
                }
                try {
                  return method.invoke(plain, arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }
  }
}
