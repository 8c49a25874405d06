// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/**
 * The fixture of tests with agents on real interfaces: a veth pair per test, and the compiled
 * classifier.
 */
abstract class VethTest extends KernelTest {
  static final String NEAR = "tb-near-" + ProcessHandle.current().pid() % 100_000;
  static final String FAR = "tb-far-" + ProcessHandle.current().pid() % 100_000;

  final LinuxKernel plain = new LinuxKernel();
  Path compiled = Path.of("");

  @BeforeEach
  void makeInterfaces() throws Exception {
    run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR);
    compiled = new ClassifierCompiler(objects).compile(List.of());
  }

  @AfterEach
  void removeInterfaces() throws Exception {
    agent(plain).removeAll();
    run("ip", "link", "del", NEAR);
  }

  static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  /** A kernel that calls back before each call, with the method and its arguments; it may throw. */
  Kernel watched(BiConsumer<Method, List<Object>> before) {
    return (Kernel)
        Proxy.newProxyInstance(
            Kernel.class.getClassLoader(),
            new Class<?>[] {Kernel.class},
            (proxy, method, arguments) -> {
              before.accept(method, arguments == null ? List.of() : Arrays.asList(arguments));
              try {
                return method.invoke(plain, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  Programmer agent(Kernel kernel) {
    return new Programmer(kernel, bpffs, compiled);
  }
}
