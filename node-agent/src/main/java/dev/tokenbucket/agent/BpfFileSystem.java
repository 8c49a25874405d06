package dev.tokenbucket.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Makes sure that a folder is on a BPF file system. */
final class BpfFileSystem {
  private BpfFileSystem() {}

  /** Mounts a BPF file system there where there is none. */
  static void ensure(Path folder) throws IOException {
    if (isBpf(folder)) {
      Files.createDirectories(folder);
      return;
    }
    Files.createDirectories(folder);
    List<String> command = List.of("mount", "-t", "bpf", "bpf", folder.toAbsolutePath().toString());
    Process mount = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output =
        new String(mount.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    waitFor(mount);
    if (!isBpf(folder)) {
      throw new IOException(
          "--bpffs "
              + folder
              + " is not on a BPF file system and mounting one failed: "
              + output.strip()
              + "; mount one there (mount -t bpf bpf "
              + folder
              + ") or name another folder; inside `ip netns exec` /sys is not the host's");
    }
  }

  private static boolean isBpf(Path folder) throws IOException {
    Path there = folder.toAbsolutePath();
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    return there != null && Files.getFileStore(there).type().equals("bpf");
  }

  private static void waitFor(Process process) throws IOException {
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
