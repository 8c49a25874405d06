// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.HookPoint;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests that hold on the tc hook and on the XDP hook alike. */
@ParameterizedClass(name = "{0}")
@EnumSource(
    value = HookPoint.class,
    names = {"INGRESS", "XDP"})
abstract class BothHooksTest extends KernelTest {
  @Parameter HookPoint point = HookPoint.INGRESS;

  @Override
  HookPoint ingress() {
    return point;
  }
}
