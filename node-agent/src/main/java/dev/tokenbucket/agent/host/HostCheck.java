// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.log.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Checks whether a host has what the agent needs, without changing anything. */
public final class HostCheck {
  /** The oldest kernel that the classifier supports: bpf_ktime_get_coarse_ns, batches. */
  private static final int[] OLDEST = {5, 15};

  private static final Pattern RELEASE = Pattern.compile("([0-9]{1,5})\\.([0-9]{1,5}).*");
  private static final String JIT = "proc/sys/net/core/bpf_jit_enable";

  private final Path root;
  private final String release;
  private final String searchPath;
  private final Path bpffs;
  private final Supplier<Kernel> kernel;

  /**
   * @param root the root of the file system
   * @param release the kernel's release, as {@code uname -r} prints it
   * @param searchPath the folders, separated by colons, in which clang is searched
   * @param kernel loads the native library, which may fail
   */
  public HostCheck(
      Path root, String release, String searchPath, Path bpffs, Supplier<Kernel> kernel) {
    this.root = root;
    this.release = release;
    this.searchPath = searchPath;
    this.bpffs = bpffs;
    this.kernel = kernel;
  }

  /** Whether the host meets a need. */
  public enum Verdict {
    SUPPORTED,
    UNSUPPORTED,
    /** The check could not be made. */
    UNKNOWN;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * The result of one check.
   *
   * @param reason what was seen and, if it is not supported, what to do
   */
  public record Finding(String name, Verdict verdict, String reason) {}

  /** The findings in the order in which a user would fix them. */
  public List<Finding> findings() {
    return List.of(
        kernelRelease(), btf(), bpfFileSystem(), capabilities(), hook(), jit(), classifier());
  }

  private Finding kernelRelease() {
    Matcher matcher = RELEASE.matcher(release);
    if (!matcher.matches()) {
      return new Finding(
          "kernel", Verdict.UNKNOWN, "release " + release + " does not name a version");
    }
    int major = Integer.parseInt(matcher.group(1));
    int minor = Integer.parseInt(matcher.group(2));
    boolean enough = major > OLDEST[0] || (major == OLDEST[0] && minor >= OLDEST[1]);
    return enough
        ? new Finding("kernel", Verdict.SUPPORTED, "release " + release)
        : new Finding(
            "kernel",
            Verdict.UNSUPPORTED,
            "release " + release + " is older than 5.15; use a newer kernel");
  }

  private Finding btf() {
    return Files.exists(root.resolve("sys/kernel/btf/vmlinux"))
        ? new Finding("BTF", Verdict.SUPPORTED, "/sys/kernel/btf/vmlinux")
        : new Finding(
            "BTF",
            Verdict.UNSUPPORTED,
            "/sys/kernel/btf/vmlinux is missing: use a kernel built with"
                + " CONFIG_DEBUG_INFO_BTF=y");
  }

  private Finding bpfFileSystem() {
    String name = "bpffs";
    try {
      if (!Files.isDirectory(bpffs) || !BpfFileSystem.isBpf(bpffs)) {
        return notMounted(name);
      }
      String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(bpffs));
      return new Finding(name, Verdict.SUPPORTED, bpffs + ", mode " + mode);
    } catch (IOException e) {
      return new Finding(name, Verdict.UNKNOWN, bpffs + " can't be read: " + e);
    }
  }

  private Finding notMounted(String name) {
    return Preflight.mayMount(root)
        ? new Finding(
            name,
            Verdict.SUPPORTED,
            bpffs + " is not on a BPF file system yet; the agent mounts one there")
        : new Finding(
            name,
            Verdict.UNSUPPORTED,
            ("%1$s is not on a BPF file system: mount one (mount -t bpf -o mode=0700 bpf"
                    + " %1$s)")
                .formatted(bpffs));
  }

  private Finding capabilities() {
    List<String> missing = Preflight.missingCapabilities(root);
    return missing.isEmpty()
        ? new Finding("capabilities", Verdict.SUPPORTED, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON")
        : new Finding("capabilities", Verdict.UNSUPPORTED, String.join("; ", missing));
  }

  private Finding hook() {
    try {
      return new Finding(
          "hook",
          Verdict.SUPPORTED,
          kernel.get().hasTcx() ? "TCX" : "clsact (TCX needs Linux 6.6)");
    } catch (KernelException e) {
      return new Finding(
          "hook", Verdict.UNKNOWN, "TCX or clsact: " + Reason.of(e) + "; run as root to look");
    } catch (LinkageError e) {
      return new Finding(
          "hook",
          Verdict.UNSUPPORTED,
          "libbpf.so.1 can't be loaded (" + Reason.of(e) + "): install libbpf1");
    }
  }

  private Finding jit() {
    try {
      String mode = Files.readString(root.resolve(JIT)).strip();
      return "0".equals(mode)
          ? new Finding(
              "JIT",
              Verdict.UNSUPPORTED,
              "net.core.bpf_jit_enable is 0, so each packet costs many times as much CPU:"
                  + " sysctl -w net.core.bpf_jit_enable=1")
          : new Finding("JIT", Verdict.SUPPORTED, "net.core.bpf_jit_enable is " + mode);
    } catch (IOException e) {
      return new Finding("JIT", Verdict.UNKNOWN, "/" + JIT + " can't be read: " + Reason.of(e));
    }
  }

  private Finding classifier() {
    boolean clang =
        Stream.of(searchPath.split(":", -1)).anyMatch(each -> Preflight.hasClang(root, each));
    return new Finding(
        "classifier",
        Verdict.SUPPORTED,
        clang
            ? "clang on the PATH compiles it; the objects built with tb are also present"
            : "the objects built with tb; no clang on the PATH, so --compile=always would fail");
  }
}
