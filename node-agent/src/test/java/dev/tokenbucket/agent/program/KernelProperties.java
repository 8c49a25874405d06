// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.files.FileTrees;
import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import net.jqwik.api.lifecycle.LifecycleContext;
import net.jqwik.api.lifecycle.PropagationMode;
import net.jqwik.api.lifecycle.SkipExecutionHook;

/** {@link KernelTest} for properties, which jqwik runs: a BPF file system each. */
@AddLifecycleHook(
    value = KernelProperties.NeedsRoot.class,
    propagateTo = PropagationMode.ALL_DESCENDANTS)
abstract class KernelProperties {
  private Path folder = Path.of("");

  static final class NeedsRoot implements SkipExecutionHook {
    @Override
    public SkipResult shouldBeSkipped(LifecycleContext context) {
      boolean able = System.getProperty("user.name", "").equals("root");
      assertThat(able || System.getenv("CI") == null).as("CI must run as root").isTrue();
      return able ? SkipResult.doNotSkip() : SkipResult.skip("needs root: BPF");
    }
  }

  @BeforeProperty
  void mount() throws Exception {
    folder = Files.createTempDirectory("tokenbucket-properties");
    Files.createDirectories(bpffs());
    run("mount", "-t", "bpf", "bpf", bpffs().toString());
  }

  @AfterProperty
  void unmount() throws Exception {
    run("umount", bpffs().toString());
    FileTrees.delete(folder);
  }

  private Path bpffs() {
    return folder.resolve("bpf");
  }

  private static void run(String... command) throws IOException, InterruptedException {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  VirtualHook hook(List<NodePolicy> policies) {
    return new VirtualHook(
        bpffs(),
        folder.resolve("objects"),
        HookPoint.INGRESS,
        true,
        FailsafeSettings.LINK_ONLY,
        policies);
  }
}
