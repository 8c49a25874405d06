// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tokenbucket.agent.kernel.LinuxKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a BPF file system that the ground itself mounts. Needs root. */
class PinGroundTest {
  private static final int SOMEBODY = 12_345;

  @TempDir Path bpffs;
  private final LinuxKernel kernel = new LinuxKernel();

  @BeforeAll
  static void needsRoot() {
    boolean able = System.getProperty("user.name", "").equals("root");
    assertThat(able || System.getenv("CI") == null).as("CI must run as root").isTrue();
    assumeTrue(able, "needs root: mount");
  }

  @AfterEach
  void unmount() throws Exception {
    new ProcessBuilder("umount", bpffs.toString()).inheritIO().start().waitFor();
  }

  @Test
  void aFolderThatAnotherUserMadeIsNotTaken() throws Exception {
    Path ours = bpffs.resolve("tokenbucket");
    try (PinGround ground = new PinGround(kernel, bpffs)) {
      Files.createDirectory(ours);
      ground.ensure();
      Files.setAttribute(ours, "unix:uid", SOMEBODY);

      assertThatThrownBy(ground::ensure)
          .isInstanceOf(IOException.class)
          .hasMessageContaining(ours + " belongs to uid " + SOMEBODY)
          .hasMessageContaining("mode=0700");
    }
    assertThatThrownBy(() -> new PinGround(kernel, bpffs)).isInstanceOf(IOException.class);
  }

  @Test
  void theLockIsHeldOnTheOneThatIsThereNow() throws Exception {
    try (PinGround ground = new PinGround(kernel, bpffs)) {
      new ProcessBuilder("umount", "--lazy", bpffs.toString()).inheritIO().start().waitFor();

      ground.ensure();
      ground.settled();

      assertThat(BpfFileSystem.isBpf(bpffs)).isTrue();
      assertThatThrownBy(() -> AgentLock.ofPins(kernel, bpffs))
          .hasMessageContaining("another agent runs with --bpffs " + bpffs);
    }
    try (AgentLock free = AgentLock.ofPins(kernel, bpffs)) {
      assertThat(free).isNotNull();
    }
  }
}
