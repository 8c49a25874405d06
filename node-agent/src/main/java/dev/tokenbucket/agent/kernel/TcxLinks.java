// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Programs at the head of an interface's TCX hook, kept alive by pinned links. libbpf 1.1 has no
 * call that creates such links, so the agent calls bpf() itself.
 */
final class TcxLinks {
  private static final int BPF_PROG_QUERY = 16;
  private static final int BPF_LINK_CREATE = 28;
  private static final int BPF_TCX_INGRESS = 46;
  private static final int BPF_TCX_EGRESS = 47;
  private static final int BPF_F_BEFORE = 1 << 3;
  private static final int EINVAL = 22;

  /** The first interface of each network namespace. */
  private static final int LOOPBACK = 1;

  /** The most programs that the kernel accepts per hook. */
  private static final int MOST_PROGRAMS = 64;

  private final NativeCalls calls;

  TcxLinks(NativeCalls calls) {
    this.calls = calls;
  }

  void attach(int program, Attachment at) {
    Pointer attributes = Memory.allocateDirect(calls.runtime(), 64, true);
    attributes.putInt(0, program);
    attributes.putInt(4, at.ifindex());
    attributes.putInt(8, type(at.point()));
    attributes.putInt(12, BPF_F_BEFORE);
    int link = (int) calls.bpf(BPF_LINK_CREATE, attributes, 64);
    if (link < 0) {
      throw new KernelException("attaching to TCX " + at.point(), calls.runtime().getLastError());
    }
    try {
      calls.pin(link, at.link());
    } finally {
      calls.close(link);
    }
  }

  private static int type(HookPoint point) {
    return point == HookPoint.INGRESS ? BPF_TCX_INGRESS : BPF_TCX_EGRESS;
  }

  List<Long> programs(int ifindex, HookPoint point) {
    Pointer ids = Memory.allocateDirect(calls.runtime(), 4L * MOST_PROGRAMS, true);
    Pointer attributes = query(ifindex, point);
    attributes.putLong(16, ids.address());
    attributes.putInt(24, MOST_PROGRAMS);
    // The kernel is older than 6.6 and does not know the type, or the interface is gone.
    if (calls.bpf(BPF_PROG_QUERY, attributes, 64) < 0) {
      return List.of();
    }
    return IntStream.range(0, Math.min(attributes.getInt(24), MOST_PROGRAMS))
        .mapToObj(i -> Integer.toUnsignedLong(ids.getInt(4L * i)))
        .toList();
  }

  private Pointer query(int ifindex, HookPoint point) {
    Pointer attributes = Memory.allocateDirect(calls.runtime(), 64, true);
    attributes.putInt(0, ifindex);
    attributes.putInt(4, type(point));
    return attributes;
  }

  /** Whether the kernel knows TCX. Kernels before 6.6 answer EINVAL for any interface. */
  boolean known() {
    if (calls.bpf(BPF_PROG_QUERY, query(LOOPBACK, HookPoint.INGRESS), 64) >= 0) {
      return true;
    }
    int error = calls.runtime().getLastError();
    if (error == EINVAL) {
      return false;
    }
    throw new KernelException("asking for the programs on TCX", error);
  }

  /**
   * The running program; also empty if the link's interface moved to another network namespace.
   * Such an interface takes its programs and its index along, and this namespace may give the index
   * to another interface.
   */
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
      return ifindex == at.ifindex() && programs(ifindex, at.point()).contains(program)
          ? Optional.of(new KernelHooks.Attached(ifindex, program, KernelHooks.Hook.TCX))
          : Optional.empty();
    } finally {
      calls.close(fd);
    }
  }
}
