package dev.tokenbucket.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Makes sure that a folder is on a BPF file system that outlives this process. */
final class BpfFileSystem {
  private static final Path OWN_MOUNTS = Path.of("/proc/self/ns/mnt");

  private BpfFileSystem() {}

  /**
   * Mounts a BPF file system there where there is none: in the mount namespace of the outermost
   * ancestor of this process that lets us, since one mounted in a namespace of our own would end
   * with us, and the limits with it.
   */
  static void ensure(Path folder) throws IOException {
    if (isBpf(folder)) {
      Files.createDirectories(folder);
      return;
    }
    Files.createDirectories(folder);
    List<String> command = new ArrayList<>();
    Optional<Path> outer = outerMounts();
    if (outer.isPresent()) {
      command.addAll(List.of("nsenter", "--mount=" + outer.get(), "--"));
    }
    command.addAll(List.of("mount", "-t", "bpf", "bpf", folder.toAbsolutePath().toString()));
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

  /** The outermost ancestor's mount namespace, where it is another than ours. */
  private static Optional<Path> outerMounts() {
    Optional<String> own = namespace(OWN_MOUNTS);
    Optional<Path> outer = Optional.empty();
    Optional<ProcessHandle> ancestor = ProcessHandle.current().parent();
    while (ancestor.isPresent()) {
      Path mounts = Path.of("/proc/" + ancestor.get().pid() + "/ns/mnt");
      Optional<String> there = namespace(mounts);
      if (there.isPresent()) {
        outer = there.equals(own) ? Optional.empty() : Optional.of(mounts);
      }
      ancestor = ancestor.get().parent();
    }
    return outer;
  }

  /** Empty where we may not look. */
  private static Optional<String> namespace(Path link) {
    try {
      return Optional.of(Files.readSymbolicLink(link).toString());
    } catch (IOException e) {
      return Optional.empty();
    }
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
