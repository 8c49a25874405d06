package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
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
 * 6.6). A filter needs no link to live; the program pinned beside its maps says that it is ours.
 */
final class ClsactFilters {
  // struct bpf_tc_hook and struct bpf_tc_opts of libbpf
  private static final int HOOK_SIZE = 24;
  private static final int OPTIONS_SIZE = 32;
  private static final int INGRESS = 1;
  private static final int EGRESS = 2;
  private static final int REPLACE = 1;

  /** First in order; the handle tells our filter from others of the same priority. */
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
    int created = calls.library().bpf_tc_hook_create(hook(at, side(at)));
    if (created != -EEXIST) {
      NativeCalls.check("making the clsact qdisc", created);
      mark(at);
    }
    set(program, at, Files.exists(at.filter()) ? REPLACE : 0);
  }

  void replace(Attachment at, int program) {
    set(program, at, REPLACE);
  }

  private void set(int program, Attachment at, int flags) {
    Pointer options = options();
    options.putInt(8, program);
    options.putInt(12, flags);
    NativeCalls.check(
        "attaching a clsact filter, " + at.direction(),
        calls.library().bpf_tc_attach(hook(at, side(at)), options));
    Path partial = at.folder().resolve("filter-new");
    NativeCalls.unpin(partial);
    NativeCalls.check(
        "pinning " + at.filter(), calls.library().bpf_obj_pin(program, partial.toString()));
    try {
      Files.move(partial, at.filter(), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("pinning " + at.filter(), e);
    }
  }

  /** Empty where the filter is not there, or is another program than the one pinned. */
  Optional<Kernel.Attached> attached(Attachment at) {
    if (!Files.exists(at.filter())) {
      return Optional.empty();
    }
    Pointer options = options();
    int result = calls.library().bpf_tc_query(hook(at, side(at)), options);
    if (result == -ENOENT || result == -EINVAL || result == -ENODEV) {
      return Optional.empty();
    }
    NativeCalls.check("asking for the clsact filter", result);
    long running = Integer.toUnsignedLong(options.getInt(16));
    int pinned = calls.open(at.filter());
    try {
      return running == calls.programId(pinned)
          ? Optional.of(new Kernel.Attached(at.ifindex(), running, Kernel.Hook.CLSACT))
          : Optional.empty();
    } finally {
      calls.close(pinned);
    }
  }

  /** Takes the filter away, and the qdisc where we made it and nothing else uses it. */
  void detach(Attachment at) {
    if (!Files.exists(at.filter())) {
      return;
    }
    int result = calls.library().bpf_tc_detach(hook(at, side(at)), options());
    if (result != -ENOENT && result != -EINVAL && result != -ENODEV) {
      NativeCalls.check("detaching the clsact filter", result);
    }
    NativeCalls.unpin(at.filter());
    if (Files.exists(at.qdiscMark())) {
      handOn(at);
      NativeCalls.unpin(at.qdiscMark());
    }
  }

  /** The other direction's hook of ours takes over the mark; without one the qdisc goes. */
  private void handOn(Attachment at) {
    Attachment there = at.sibling();
    if (Files.exists(there.filter())) {
      mark(there);
    } else if (!othersUseIt(at)) {
      int result = calls.library().bpf_tc_hook_destroy(hook(at, INGRESS | EGRESS));
      if (result != -ENOENT && result != -EINVAL && result != -ENODEV) {
        NativeCalls.check("removing the clsact qdisc", result);
      }
    }
  }

  /** A filter of another's, whatever its handle and priority, on either side. */
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
    return at.direction() == Direction.Ingress ? INGRESS : EGRESS;
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
