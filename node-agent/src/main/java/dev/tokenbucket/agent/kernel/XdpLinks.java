// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Programs on an interface's XDP hook, kept alive by pinned links. Only native mode is used:
 * generic mode runs after the kernel has allocated the packet, and so costs more than tc. The hook
 * holds one program, and a program of other software is never replaced.
 */
final class XdpLinks {
  private static final int BPF_LINK_CREATE = 28;
  private static final int BPF_XDP = 37;
  private static final int XDP_FLAGS_DRV_MODE = 1 << 2;
  private static final int EBUSY = 16;
  private static final int EEXIST = 17;
  private static final int ENODEV = 19;
  private static final int EINVAL = 22;
  private static final int ERANGE = 34;
  private static final int EOPNOTSUPP = 95;

  private final NativeCalls calls;

  XdpLinks(NativeCalls calls) {
    this.calls = calls;
  }

  /**
   * @throws XdpRefusedException if the interface can't take the program
   */
  void attach(int program, Attachment at) {
    Pointer attributes = Memory.allocateDirect(calls.runtime(), 64, true);
    attributes.putInt(0, program);
    attributes.putInt(4, at.ifindex());
    attributes.putInt(8, BPF_XDP);
    attributes.putInt(12, XDP_FLAGS_DRV_MODE);
    int link = (int) calls.bpf(BPF_LINK_CREATE, attributes, 64);
    if (link < 0) {
      throw refused(at, new KernelException("attaching to XDP", calls.runtime().getLastError()));
    }
    try {
      calls.pin(link, at.link());
    } finally {
      calls.close(link);
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
    Optional<Integer> link = calls.openIfPinned(at.link());
    if (link.isEmpty()) {
      return Optional.empty();
    }
    int fd = link.get();
    try {
      ByteBuffer info = calls.info(fd, 64);
      int ifindex = info.getInt(16);
      long program = Integer.toUnsignedLong(info.getInt(8));
      return ifindex == at.ifindex() && program(ifindex).filter(id -> id == program).isPresent()
          ? Optional.of(new KernelHooks.Attached(ifindex, program, KernelHooks.Hook.XDP))
          : Optional.empty();
    } finally {
      calls.close(fd);
    }
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
