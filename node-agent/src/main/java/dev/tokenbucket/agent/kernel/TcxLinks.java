// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/** Programs at the head of an interface's TCX hook, kept alive by pinned links. */
final class TcxLinks {
  private static final int BPF_PROG_QUERY = 16;
  private static final int BPF_TCX_INGRESS = 46;
  private static final int BPF_TCX_EGRESS = 47;
  private static final int BPF_F_BEFORE = 1 << 3;
  private static final int EINVAL = 22;

  /** The first interface of each network namespace. */
  private static final int LOOPBACK = 1;

  /** The most programs that the kernel accepts per hook. */
  private static final int MOST_PROGRAMS = 64;

  private final NativeCalls calls;
  private final PinnedLinks links;

  TcxLinks(NativeCalls calls, PinnedLinks links) {
    this.calls = calls;
    this.links = links;
  }

  void attach(int program, Attachment at) {
    links.create(program, at, type(at.point()), BPF_F_BEFORE, "attaching to TCX " + at.point());
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

  /** The running program; also empty if the interface is in another network namespace. */
  Optional<KernelHooks.Attached> attached(Attachment at) {
    return links.attached(
        at,
        KernelHooks.Hook.TCX,
        (ifindex, program) -> programs(ifindex, at.point()).contains(program));
  }
}
