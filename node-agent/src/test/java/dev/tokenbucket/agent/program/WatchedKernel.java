// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Kernel;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;

/** A kernel of which a test looks at the hooks around every change of them. */
final class WatchedKernel {
  private static final Set<String> CHANGES = Set.of("attach", "replace", "detach");

  private WatchedKernel() {}

  /** Runs around a change. The change throws what this throws. */
  interface Watch {
    void around(String change);
  }

  static Kernel of(Kernel kernel, Watch watch) {
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (proxy, method, arguments) -> {
              boolean change = CHANGES.contains(method.getName());
              if (change) {
                watch.around(method.getName());
              }
              try {
                return method.invoke(kernel, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              } finally {
                if (change) {
                  watch.around("after " + method.getName());
                }
              }
            });
  }
}
