// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes sure that a folder is on a BPF file system. */
public final class BpfFileSystem {
  private BpfFileSystem() {}

  /** Mounts a BPF file system at the folder unless the folder is on one already. */
  static void ensure(Kernel kernel, Path folder) throws IOException {
    boolean mounted = isBpf(folder);
    Files.createDirectories(folder);
    if (mounted) {
      return;
    }
    try {
      kernel.mountBpf(folder.toAbsolutePath());
    } catch (KernelException e) {
      throw new IOException(
          ("--bpffs %1$s is not on a BPF file system, and %2$s; mount one there on the host (mount"
                  + " -t bpf bpf %1$s), or name another folder. Mounting needs CAP_SYS_ADMIN, which"
                  + " a pod does not have: mount it as a hostPath there. Inside `ip netns exec` /sys is not"
                  + " the host's")
              .formatted(folder, Reason.of(e)),
          e);
    }
  }

  /** Whether a folder is on a BPF file system, or would be once it is created. */
  public static boolean isBpf(Path folder) throws IOException {
    Path there = folder.toAbsolutePath();
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    return there != null && Files.getFileStore(there).type().equals("bpf");
  }
}
