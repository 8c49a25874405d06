// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import dev.tokenbucket.agent.compile.CompileMode;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Finds what the agent needs and the host lacks. Each finding says what to do. */
public final class Preflight {
  /** Bits of CapEff, from include/uapi/linux/capability.h. */
  private enum Capability {
    CAP_NET_ADMIN(12),
    CAP_PERFMON(38),
    CAP_BPF(39);

    private final int bit;

    Capability(int bit) {
      this.bit = bit;
    }
  }

  private static final int CAP_SYS_ADMIN = 21;

  private Preflight() {}

  /**
   * Checks the host.
   *
   * @param root the root of its file system
   * @param searchPath the folders, separated by colons, in which clang is searched
   * @param compile whether clang is needed
   */
  public static List<String> findings(Path root, String searchPath, CompileMode compile) {
    List<String> findings = new ArrayList<>();
    if (!Files.exists(root.resolve("sys/kernel/btf/vmlinux"))) {
      findings.add(
          "the kernel has no BTF (/sys/kernel/btf/vmlinux): use one built with"
              + " CONFIG_DEBUG_INFO_BTF=y");
    }
    if (compile == CompileMode.ALWAYS
        && Stream.of(searchPath.split(":", -1)).noneMatch(each -> hasClang(root, each))) {
      findings.add(
          "no clang on the PATH "
              + searchPath
              + " and --compile=always: install it (apt install clang libbpf-dev), or use"
              + " --compile=auto");
    }
    findings.addAll(missingCapabilities(root));
    return List.copyOf(findings);
  }

  /** The capabilities that this process lacks, each with what to do about it. */
  static List<String> missingCapabilities(Path root) {
    BigInteger effective = effectiveCapabilities(root);
    return Stream.of(Capability.values())
        .filter(capability -> !effective.testBit(capability.bit))
        .map(each -> each + " is missing: run as root, or grant the process " + each)
        .toList();
  }

  /**
   * Checks the capabilities for a command that can do nothing without them.
   *
   * @throws CommandFailure naming the capabilities that this process lacks
   */
  public static void requireCapabilities() {
    List<String> missing = missingCapabilities(Path.of("/"));
    if (!missing.isEmpty()) {
      throw new CommandFailure(Exit.NOT_PERMITTED, String.join("; ", missing));
    }
  }

  /** Whether the agent may mount a BPF file system, as root on a bare host may. */
  static boolean mayMount(Path root) {
    return effectiveCapabilities(root).testBit(CAP_SYS_ADMIN);
  }

  static boolean hasClang(Path root, String folder) {
    return Files.isExecutable(root.resolve(folder.replaceFirst("^/+", "")).resolve("clang"));
  }

  private static BigInteger effectiveCapabilities(Path root) {
    try (Stream<String> lines = Files.lines(root.resolve("proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("CapEff:"))
          .map(line -> new BigInteger(line.substring("CapEff:".length()).strip(), 16))
          .findFirst()
          .orElse(BigInteger.ZERO);
    } catch (IOException e) {
      return BigInteger.ZERO;
    }
  }
}
