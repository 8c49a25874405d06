// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The native library, and the calls that all its users need. Knows the system call numbers of
 * x86-64 and arm64.
 */
final class NativeCalls {
  private static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");
  private static final long SYS_BPF = ARM ? 280 : 321;
  private static final long SYS_MEMBARRIER = ARM ? 283 : 324;
  private static final long MEMBARRIER_CMD_GLOBAL = 1;

  /** Bytes of struct bpf_prog_info that the agent asks for. */
  private static final int PROGRAM_INFO = 232;

  /** The most maps that the kernel accepts per program. */
  private static final int MOST_MAPS = 64;

  private static final int F_DUPFD_CLOEXEC = 1030;

  /** O_RDONLY and O_CLOEXEC; the numbers are the same on both architectures. */
  private static final int READ_CLOSED_ON_EXEC = 0x80000;

  private static final int LOCK_EXCLUSIVE_AT_ONCE = 2 | 4;
  private static final int ENOENT = 2;
  private static final int EWOULDBLOCK = 11;

  /** Bytes of an interface's name, including the terminating zero. */
  static final int INTERFACE_NAME = 16;

  private final LibBpf library;
  private final Runtime runtime;

  NativeCalls() {
    this(UnaryOperator.identity());
  }

  /**
   * @param watched wraps the library, so that tests can observe calls or make them fail
   */
  NativeCalls(UnaryOperator<LibBpf> watched) {
    LibBpf loaded =
        LibraryLoader.create(LibBpf.class)
            .library("libbpf.so.1")
            .library("c")
            .failImmediately()
            .load();
    library = watched.apply(loaded);
    runtime = Runtime.getRuntime(loaded);
  }

  LibBpf library() {
    return library;
  }

  Runtime runtime() {
    return runtime;
  }

  /** Calls bpf(2). On failure the result is negative and the runtime holds errno. */
  long bpf(int command, Pointer attributes, int size) {
    return library.syscall(SYS_BPF, command, attributes, size);
  }

  /**
   * Waits with membarrier(2) until all CPUs have left the kernel's read-side sections; returns 0 or
   * errno.
   */
  int membarrier() {
    return library.syscall(SYS_MEMBARRIER, MEMBARRIER_CMD_GLOBAL, 0L, 0L) < 0
        ? runtime.getLastError()
        : 0;
  }

  /** The buffer's bytes from its position on. The position does not change. */
  static byte[] bytes(ByteBuffer from) {
    byte[] copy = new byte[from.remaining()];
    from.duplicate().get(copy);
    return copy;
  }

  /** A number as a map's key or value. */
  static byte[] bytes(int number) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(number).array();
  }

  /** Pins a program, a map or a link at a path that is still free. */
  void pin(int fd, Path pin) {
    check("pinning " + pin, library.bpf_obj_pin(fd, pin.toString()));
  }

  int open(Path pin) {
    return check("opening " + pin, library.bpf_obj_get(pin.toString()));
  }

  /** Empty where nothing is pinned, also where a pin was removed a moment ago. */
  Optional<Integer> openIfPinned(Path pin) {
    int fd = library.bpf_obj_get(pin.toString());
    return fd == -ENOENT ? Optional.empty() : Optional.of(check("opening " + pin, fd));
  }

  void close(int fd) {
    library.close(fd);
  }

  /**
   * A second descriptor of the same object. Opening an object by its id would need CAP_SYS_ADMIN.
   */
  int duplicate(int fd) {
    int second = library.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (second < 0) {
      throw new KernelException("duplicating a file descriptor", runtime.getLastError());
    }
    return second;
  }

  /**
   * Takes a folder's lock, which excludes all processes that take the same lock; empty if it is
   * held.
   */
  Optional<Integer> lock(Path folder) {
    int fd = library.open(folder.toString(), READ_CLOSED_ON_EXEC);
    if (fd < 0) {
      throw new KernelException("opening " + folder, runtime.getLastError());
    }
    if (library.flock(fd, LOCK_EXCLUSIVE_AT_ONCE) == 0) {
      return Optional.of(fd);
    }
    int error = runtime.getLastError();
    close(fd);
    if (error != EWOULDBLOCK) {
      throw new KernelException("locking " + folder, error);
    }
    return Optional.empty();
  }

  /** An object's info, at most {@code size} bytes of it. */
  ByteBuffer info(int fd, int size) {
    Pointer info = Memory.allocateDirect(runtime, size, true);
    fillInfo(fd, info, size);
    byte[] bytes = new byte[size];
    info.get(0, bytes, 0, size);
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  private void fillInfo(int fd, Pointer info, int size) {
    check("reading an object's info", library.bpf_obj_get_info_by_fd(fd, info, new int[] {size}));
  }

  long programId(int program) {
    return Integer.toUnsignedLong(info(program, PROGRAM_INFO).getInt(4));
  }

  List<Long> mapIds(int program) {
    Pointer ids = Memory.allocateDirect(runtime, (long) Integer.BYTES * MOST_MAPS, true);
    Pointer info = Memory.allocateDirect(runtime, PROGRAM_INFO, true);
    info.putInt(52, MOST_MAPS);
    info.putLong(56, ids.address());
    fillInfo(program, info, PROGRAM_INFO);
    return IntStream.range(0, Math.min(info.getInt(52), MOST_MAPS))
        .mapToObj(i -> Integer.toUnsignedLong(ids.getInt((long) Integer.BYTES * i)))
        .toList();
  }

  /** Empty if this network namespace has no such interface. */
  Optional<String> interfaceName(int index) {
    byte[] name = new byte[INTERFACE_NAME];
    if (library.if_indextoname(index, name) == null) {
      return Optional.empty();
    }
    String padded = new String(name, StandardCharsets.UTF_8);
    return Optional.of(padded.substring(0, padded.indexOf(0)));
  }

  static int check(String attempt, int result) {
    if (result < 0) {
      throw new KernelException(attempt, -result);
    }
    return result;
  }

  static void unpin(Path pin) {
    try {
      Files.deleteIfExists(pin);
    } catch (IOException e) {
      throw new UncheckedIOException("unpinning " + pin, e);
    }
  }
}
