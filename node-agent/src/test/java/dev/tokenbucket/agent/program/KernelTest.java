// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The fixture of tests that load the classifier: root, and a BPF file system per test. */
abstract class KernelTest {
  @TempDir static Path objects = Path.of("");
  @TempDir Path bpffs = Path.of("");

  @BeforeAll
  static void needsRoot() {
    boolean able = System.getProperty("user.name", "").equals("root");
    assertThat(able || System.getenv("CI") == null).as("CI must run as root").isTrue();
    assumeTrue(able, "needs root: BPF");
  }

  @BeforeEach
  void mount() throws Exception {
    run("mount", "-t", "bpf", "bpf", bpffs.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", bpffs.toString());
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }

  /** The hook of received packets that the test is about. */
  HookPoint ingress() {
    return HookPoint.INGRESS;
  }

  VirtualHook hook(Policy... policies) {
    return hook(Direction.Ingress, policies);
  }

  VirtualHook hook(Direction direction, Policy... policies) {
    return hook(direction, FailsafeSettings.LINK_ONLY, policies);
  }

  VirtualHook hook(Direction direction, FailsafeSettings failsafes, Policy... policies) {
    return hook(direction, true, failsafes, policies);
  }

  VirtualHook hook(
      Direction direction, boolean ethernet, FailsafeSettings failsafes, Policy... policies) {
    List<NodePolicy> placed = new ArrayList<>();
    for (Policy policy : policies) {
      placed.add(policy.at(placed.size()));
    }
    boolean applies = ethernet && direction == Direction.Ingress;
    assumeTrue(applies || ingress() != HookPoint.XDP, "XDP sees received Ethernet frames alone");
    HookPoint point = direction == Direction.Ingress ? ingress() : HookPoint.EGRESS;
    return new VirtualHook(bpffs, objects, point, ethernet, failsafes, placed);
  }
}
