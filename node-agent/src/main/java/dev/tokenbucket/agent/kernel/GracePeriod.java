// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.function.IntSupplier;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/** Waits until every BPF program that runs now has ended. */
final class GracePeriod {
  private static final int BPF_MAP_TYPE_ARRAY = 2;
  private static final int BPF_MAP_TYPE_ARRAY_OF_MAPS = 12;

  /** Bytes of struct bpf_map_create_opts, and the offset of its {@code inner_map_fd}. */
  private static final int CREATE_OPTIONS = 48;

  private static final int INNER_MAP_FD = 24;

  private static final int EINVAL = 22;
  private static final int ENOSYS = 38;

  private final NativeCalls calls;
  private final IntSupplier membarrier;

  GracePeriod(NativeCalls calls) {
    this(calls, calls::membarrier);
  }

  /**
   * @param membarrier returns 0, or the errno of a refusal
   */
  GracePeriod(NativeCalls calls, IntSupplier membarrier) {
    this.calls = calls;
    this.membarrier = membarrier;
  }

  void await() {
    int error = membarrier.getAsInt();
    if (error == 0) {
      return;
    }
    // Kernels with nohz_full refuse the call; kernels without CONFIG_MEMBARRIER do not know it.
    if (error != EINVAL && error != ENOSYS) {
      throw new KernelException("waiting for a grace period by membarrier", error);
    }
    awaitByMaps();
  }

  /**
   * Uses a wait inside the kernel: an update of an array of maps returns only when no program can
   * still read the replaced map (maybe_wait_bpf_programs of kernel/bpf/syscall.c).
   */
  private void awaitByMaps() {
    LibBpf library = calls.library();
    int inner =
        NativeCalls.check(
            "creating a map to wait by",
            library.bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace_inner", 4, 4, 1, null));
    try {
      Pointer options = Memory.allocateDirect(calls.runtime(), CREATE_OPTIONS, true);
      options.putLong(0, CREATE_OPTIONS);
      options.putInt(INNER_MAP_FD, inner);
      int outer =
          NativeCalls.check(
              "creating an array of maps to wait by",
              library.bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace_outer", 4, 4, 1, options));
      try {
        NativeCalls.check(
            "waiting for a grace period by an array of maps",
            library.bpf_map_update_elem(outer, new byte[4], NativeCalls.bytes(inner), 0));
      } finally {
        calls.close(outer);
      }
    } finally {
      calls.close(inner);
    }
  }
}
