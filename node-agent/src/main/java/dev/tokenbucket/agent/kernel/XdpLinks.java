// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Programs on an interface's XDP hook, kept alive by pinned links. Only native mode is used:
 * generic mode runs after the kernel has allocated the packet, and so costs more than tc. The hook
 * holds one program, and a program of other software is never replaced.
 */
final class XdpLinks {
  private static final int BPF_XDP = 37;
  private static final int XDP_FLAGS_DRV_MODE = 1 << 2;
  private static final int EBUSY = 16;
  private static final int EEXIST = 17;
  private static final int ENODEV = 19;
  private static final int EINVAL = 22;
  private static final int ERANGE = 34;
  private static final int EOPNOTSUPP = 95;

  private final NativeCalls calls;
  private final PinnedLinks links;

  XdpLinks(NativeCalls calls, PinnedLinks links) {
    this.calls = calls;
    this.links = links;
  }

  /**
   * @throws XdpRefusedException if the interface can't take the program
   */
  void attach(int program, Attachment at) {
    try {
      links.create(program, at, BPF_XDP, XDP_FLAGS_DRV_MODE, "attaching to XDP");
    } catch (KernelException e) {
      throw refused(at, e);
    }
  }

  private RuntimeException refused(Attachment at, KernelException e) {
    return switch (e.errno()) {
      case EOPNOTSUPP ->
          new XdpRefusedException(
              "its driver, %s, has no native XDP".formatted(driver(at.ifindex())), e);
      case EBUSY, EEXIST ->
          new XdpRefusedException(
              "it runs another XDP program, which is not replaced; detach that program first", e);
      case EINVAL, ERANGE ->
          new XdpRefusedException(
              "its driver, %s, refuses XDP as the interface is set up (%s); often its MTU is too"
                      .formatted(driver(at.ifindex()), e.getMessage())
                  + " large, or merging of received packets (LRO) is on",
              e);
      default -> e;
    };
  }

  /** The driver of hardware, or the kind of another device. */
  private String driver(int ifindex) {
    String name = calls.interfaceName(ifindex).orElse("");
    Path driver = Path.of("/sys/class/net").resolve(name).resolve("device/driver");
    try {
      if (!name.isEmpty() && Files.exists(driver, LinkOption.NOFOLLOW_LINKS)) {
        return String.valueOf(driver.toRealPath().getFileName());
      }
    } catch (IOException e) {
      return "unknown";
    }
    return new LinkDump(calls)
        .devices().stream()
            .filter(device -> device.index() == ifindex && !device.kind().isEmpty())
            .map(NetworkDevice::kind)
            .findFirst()
            .orElse("unknown");
  }

  /** The running program; empty if the interface is gone or in another network namespace. */
  Optional<KernelHooks.Attached> attached(Attachment at) {
    return links.attached(
        at,
        KernelHooks.Hook.XDP,
        (ifindex, program) -> program(ifindex).filter(id -> id == program).isPresent());
  }

  /** The id of the program on an interface of this namespace, also of other software. */
  private Optional<Long> program(int ifindex) {
    try {
      return new LinkDump(calls).xdpProgram(ifindex);
    } catch (KernelException e) {
      if (e.errno() == ENODEV) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
