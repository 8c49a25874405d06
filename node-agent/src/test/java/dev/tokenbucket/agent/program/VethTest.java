// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.compile.ClassifierCompiler;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What tests of agents on real interfaces share: a veth pair each, and the compiled classifier. */
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

  Programmer agent(Kernel kernel) {
    return new Programmer(kernel, bpffs, compiled);
  }
}
