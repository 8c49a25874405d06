// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Programs as direct-action filters of an interface's clsact qdisc, for kernels without TCX (before
 * 6.6). A filter needs no link to stay alive. The pin of its program, beside the maps' pins, says
 * that the filter is the agent's. A program is pinned as the next one before the filter gets it,
 * and as the filter's afterwards. So one of the two pins is always of the running program, whenever
 * the agent is killed.
 */
final class ClsactFilters {
  // struct bpf_tc_hook and struct bpf_tc_opts of libbpf
  private static final int HOOK_SIZE = 24;
  private static final int OPTIONS_SIZE = 32;
  private static final int INGRESS = 1;
  private static final int EGRESS = 2;
  private static final int REPLACE = 1;

  /** Runs first. The handle tells the agent's filter from other filters of the same priority. */
  private static final int PRIORITY = 1;

  private static final int HANDLE = 0x7b;
  private static final int ENOENT = 2;
  private static final int EEXIST = 17;
  private static final int EINVAL = 22;
  private static final int ENODEV = 19;

  private final NativeCalls calls;

  ClsactFilters(NativeCalls calls) {
    this.calls = calls;
  }

  void attach(int program, Attachment at) {
    makeQdisc(at);
    set(program, at, 0);
  }

  void replace(Attachment at, int program) {
    set(program, at, REPLACE);
  }

  /**
   * Makes the clsact qdisc unless the interface has one. The mark is written first: if the agent
   * were killed in between, an unmarked qdisc would never be removed. An existing qdisc belongs to
   * other software, or has been marked when the agent made it.
   */
  private void makeQdisc(Attachment at) {
    if (new QdiscDump(calls).hasClsact(at.ifindex())) {
      return;
    }
    mark(at);
    int created = calls.library().bpf_tc_hook_create(hook(at, side(at)));
    if (created < 0) {
      NativeCalls.unpin(at.qdiscMark());
    }
    // Other software made the qdisc after the check above.
    if (created != -EEXIST) {
      NativeCalls.check("making the clsact qdisc", created);
    }
  }

  /**
   * Sets the filter's program. A failed attempt leaves the pin of the next program, which is
   * harmless because that program does not run.
   */
  private void set(int program, Attachment at, int flags) {
    settle(at);
    calls.pin(program, at.nextFilter());
    Pointer options = options();
    options.putInt(8, program);
    options.putInt(12, flags);
    NativeCalls.check(
        "attaching a clsact filter, " + at.point(),
        calls.library().bpf_tc_attach(hook(at, side(at)), options));
    keepNext(at);
  }

  private static void keepNext(Attachment at) {
    try {
      Files.move(at.nextFilter(), at.filter(), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("pinning " + at.filter(), e);
    }
  }

  /**
   * Completes or undoes an exchange that was interrupted: the pin of the next program is kept if
   * that program runs, and removed otherwise.
   */
  void settle(Attachment at) {
    if (!Files.exists(at.nextFilter())) {
      return;
    }
    if (running(at).filter(id -> isOf(id, at.nextFilter())).isPresent()) {
      keepNext(at);
    } else {
      NativeCalls.unpin(at.nextFilter());
    }
  }

  /** Empty if there is no filter, or if it runs a program that is not pinned here. */
  Optional<KernelHooks.Attached> attached(Attachment at) {
    if (!isPinned(at)) {
      return Optional.empty();
    }
    return running(at)
        .filter(id -> isOf(id, at.filter()) || isOf(id, at.nextFilter()))
        .map(id -> new KernelHooks.Attached(at.ifindex(), id, KernelHooks.Hook.CLSACT));
  }

  private static boolean isPinned(Attachment at) {
    return Files.exists(at.filter()) || Files.exists(at.nextFilter());
  }

  /**
   * The id of the program at the filter's priority and handle, whether or not it is the agent's.
   */
  private Optional<Long> running(Attachment at) {
    Pointer options = options();
    int result = calls.library().bpf_tc_query(hook(at, side(at)), options);
    if (isGone(result)) {
      return Optional.empty();
    }
    NativeCalls.check("asking for the clsact filter", result);
    return Optional.of(Integer.toUnsignedLong(options.getInt(16)));
  }

  private boolean isOf(long programId, Path pin) {
    Optional<Integer> pinned = calls.openIfPinned(pin);
    if (pinned.isEmpty()) {
      return false;
    }
    try {
      return programId == calls.programId(pinned.get());
    } finally {
      calls.close(pinned.get());
    }
  }

  /** Removes the filter, and the qdisc too if the agent made it and nothing else uses it. */
  void detach(Attachment at) {
    if (attached(at).isPresent()) {
      int result = calls.library().bpf_tc_detach(hook(at, side(at)), options());
      if (!isGone(result)) {
        NativeCalls.check("detaching the clsact filter", result);
      }
    }
    NativeCalls.unpin(at.nextFilter());
    NativeCalls.unpin(at.filter());
    if (Files.exists(at.qdiscMark())) {
      handOn(at);
      NativeCalls.unpin(at.qdiscMark());
    }
  }

  /**
   * Hands the mark to the agent's hook of the other direction; without such a hook, removes the
   * qdisc.
   */
  private void handOn(Attachment at) {
    Attachment there = at.sibling();
    if (isPinned(there)) {
      mark(there);
    } else if (!othersUseIt(at)) {
      int result = calls.library().bpf_tc_hook_destroy(hook(at, INGRESS | EGRESS));
      if (!isGone(result)) {
        NativeCalls.check("removing the clsact qdisc", result);
      }
    }
  }

  /** Whether the result says that the filter, qdisc or interface does not exist. */
  private static boolean isGone(int result) {
    return result == -ENOENT || result == -EINVAL || result == -ENODEV;
  }

  /** Whether other software has a filter on either side, with any handle and priority. */
  private boolean othersUseIt(Attachment at) {
    FilterDump dump = new FilterDump(calls);
    return dump.any(at.ifindex(), FilterDump.INGRESS) || dump.any(at.ifindex(), FilterDump.EGRESS);
  }

  private static void mark(Attachment at) {
    try {
      Files.createDirectories(at.qdiscMark());
    } catch (IOException e) {
      throw new UncheckedIOException("making " + at.qdiscMark(), e);
    }
  }

  private static int side(Attachment at) {
    return at.point() == HookPoint.INGRESS ? INGRESS : EGRESS;
  }

  private Pointer hook(Attachment at, int sides) {
    Pointer hook = Memory.allocateDirect(calls.runtime(), HOOK_SIZE, true);
    hook.putLong(0, HOOK_SIZE);
    hook.putInt(8, at.ifindex());
    hook.putInt(12, sides);
    return hook;
  }

  private Pointer options() {
    Pointer options = Memory.allocateDirect(calls.runtime(), OPTIONS_SIZE, true);
    options.putLong(0, OPTIONS_SIZE);
    options.putInt(20, HANDLE);
    options.putInt(24, PRIORITY);
    return options;
  }
}
