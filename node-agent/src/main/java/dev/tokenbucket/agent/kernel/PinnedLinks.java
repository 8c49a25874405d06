// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Optional;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * What links of TCX and of XDP have in common. libbpf 1.1 has no call that creates such links, so
 * the agent calls bpf() itself.
 */
final class PinnedLinks {
  private static final int BPF_LINK_CREATE = 28;

  private final NativeCalls calls;

  PinnedLinks(NativeCalls calls) {
    this.calls = calls;
  }

  /**
   * Creates and pins a link.
   *
   * @param type BPF_TCX_* or BPF_XDP
   * @param flags of BPF_LINK_CREATE for this type
   * @throws KernelException if the kernel does not create the link
   */
  void create(int program, Attachment at, int type, int flags, String attempt) {
    Pointer attributes = Memory.allocateDirect(calls.runtime(), 64, true);
    attributes.putInt(0, program);
    attributes.putInt(4, at.ifindex());
    attributes.putInt(8, type);
    attributes.putInt(12, flags);
    int link = (int) calls.bpf(BPF_LINK_CREATE, attributes, 64);
    if (link < 0) {
      throw new KernelException(attempt, calls.runtime().getLastError());
    }
    try {
      calls.pin(link, at.link());
    } finally {
      calls.close(link);
    }
  }

  /** Whether an interface of this network namespace runs a program. */
  @FunctionalInterface
  interface Runs {
    boolean program(int ifindex, long id);
  }

  /**
   * The running program; also empty if the link's interface moved to another network namespace.
   * Such an interface takes its programs and its index along, and this namespace may give the index
   * to another interface.
   */
  Optional<KernelHooks.Attached> attached(Attachment at, KernelHooks.Hook hook, Runs runs) {
    Optional<Integer> link = calls.openIfPinned(at.link());
    if (link.isEmpty()) {
      return Optional.empty();
    }
    int fd = link.get();
    try {
      ByteBuffer info = calls.info(fd, 64);
      int ifindex = info.getInt(16);
      long program = Integer.toUnsignedLong(info.getInt(8));
      return ifindex == at.ifindex() && runs.program(ifindex, program)
          ? Optional.of(new KernelHooks.Attached(ifindex, program, hook))
          : Optional.empty();
    } finally {
      calls.close(fd);
    }
  }

  /** Replaces the program without a gap. */
  void replace(Attachment at, int program) {
    int link = calls.open(at.link());
    try {
      NativeCalls.check(
          "updating link " + at.link(), calls.library().bpf_link_update(link, program, null));
    } finally {
      calls.close(link);
    }
  }

  /**
   * Detaches the program at once. If its link were only unpinned, the program would run until the
   * kernel frees the link.
   */
  void detach(Attachment at) {
    if (!Files.exists(at.link())) {
      return;
    }
    int link = calls.open(at.link());
    try {
      NativeCalls.check("detaching link " + at.link(), calls.library().bpf_link_detach(link));
    } finally {
      calls.close(link);
    }
    NativeCalls.unpin(at.link());
  }
}
