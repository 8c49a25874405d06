// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.pins.Pins;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.Failures;
import dev.tokenbucket.agent.slots.PolicySlots;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Under PREEMPT_RT no CPU holds tokens that a task could spend behind another's back. Needs root.
 */
class RealTimeKernelTest extends KernelTest {
  private static Kernel kernel(boolean realTime) {
    LinuxKernel kernel = new LinuxKernel();
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (proxy, method, arguments) ->
                method.getName().equals("isRealTime")
                    ? realTime
                    : method.invoke(kernel, arguments));
  }

  private AxisLine lineOn(Kernel kernel, NodePolicy policy) {
    Path compiled = new ClassifierCompiler(objects).compile(List.of());
    PolicySlots slots = new PolicySlots(kernel, new Pins(bpffs), compiled, any -> {});
    slots.prepare();
    SlotIdentity identity = SlotIdentity.of(policy, 0);
    Map<SlotIdentity, Integer> placed = slots.program(Map.of(identity, policy), new Failures());
    return slots.inForce(Objects.requireNonNull(placed.get(identity)));
  }

  @Test
  void nothingIsHeldInReservePerCpu() {
    NodePolicy policy = Policy.packets(1_000_000, 1_000_000).at(0);
    try (VirtualHook pins = hook(Policy.packets(1, 1))) {
      assertThat(pins.notIp()).isZero();
      assertThat(lineOn(kernel(false), policy).reserve()).isPositive();
      AxisLine line = lineOn(kernel(true), policy);
      assertThat(line.reserve()).isZero();
      assertThat(line.batch()).isPositive();
    }
  }
}
