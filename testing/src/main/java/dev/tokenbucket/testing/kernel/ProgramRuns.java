// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.kernel;

import dev.tokenbucket.agent.kernel.KernelException;
import dev.tokenbucket.agent.kernel.LibBpf;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** Runs loaded programs many times with BPF_PROG_TEST_RUN. Thread-safe. */
public final class ProgramRuns {
  // struct bpf_test_run_opts
  private static final int OPTIONS_SIZE = 80;
  private static final int DATA_IN = 8;
  private static final int DATA_SIZE_IN = 24;
  private static final int VERDICT = 56;
  private static final int REPEAT = 60;
  private static final int DURATION = 64;
  private static final int FLAGS = 68;
  private static final int LIVE_FRAMES = 1 << 1;

  // struct bpf_prog_info
  private static final int INFO_SIZE = 232;
  private static final int JITED_LENGTH = 16;
  private static final int XLATED_LENGTH = 20;
  private static final int VERIFIED_INSTRUCTIONS = 216;
  private static final int INSTRUCTION_SIZE = 8;

  private static final int CPU_MASK_SIZE = 128;

  /**
   * Functions of libc and libbpf that the agent does not use. The second one needs CAP_SYS_ADMIN.
   */
  public interface MoreCalls {
    int sched_setaffinity(int thread, long size, byte[] mask);

    int bpf_prog_get_fd_by_id(int id);
  }

  private final LibBpf library =
      LibraryLoader.create(LibBpf.class).library("libbpf.so.1").library("c").load();
  private final MoreCalls more =
      LibraryLoader.create(MoreCalls.class).library("libbpf.so.1").library("c").load();
  private final Runtime runtime = Runtime.getRuntime(library);

  /**
   * Runs of one program.
   *
   * @param nanos the mean time of all runs
   * @param verdict the verdict of the last run
   */
  public record Run(int nanos, int verdict) {}

  /**
   * A program's size.
   *
   * @param instructions BPF instructions as rewritten by the verifier
   * @param machineBytes bytes of machine code
   * @param verified instructions that the verifier walked, over all paths
   */
  public record Size(int instructions, int machineBytes, int verified) {}

  /** A file descriptor of a loaded program, which the caller closes. */
  public int open(long programId) {
    return check("opening program " + programId, more.bpf_prog_get_fd_by_id((int) programId));
  }

  /** Runs a program on a frame {@code times} times in a row, on this thread's CPU. */
  public Run run(int program, byte[] frame, int times) {
    Pointer options = options(frame, times);
    check("running a program", library.bpf_prog_test_run_opts(program, options));
    return new Run(options.getInt(DURATION), options.getInt(VERDICT));
  }

  /**
   * Lets an XDP program act on real frames, as if a device had received them. Frames really go
   * where the program redirects them (BPF_F_TEST_XDP_LIVE_FRAMES). Returns when all frames are on
   * their way.
   */
  public void sendLive(int xdpProgram, byte[] frame, int frames) {
    Pointer options = options(frame, frames);
    options.putInt(FLAGS, LIVE_FRAMES);
    check("sending live frames", library.bpf_prog_test_run_opts(xdpProgram, options));
  }

  private Pointer options(byte[] frame, int times) {
    // One block, so that the frame lives as long as the options that point to it.
    Pointer options = Memory.allocateDirect(runtime, OPTIONS_SIZE + frame.length, true);
    options.put(OPTIONS_SIZE, frame, 0, frame.length);
    options.putLong(0, OPTIONS_SIZE);
    options.putAddress(DATA_IN, options.address() + OPTIONS_SIZE);
    options.putInt(DATA_SIZE_IN, frame.length);
    options.putInt(REPEAT, times);
    return options;
  }

  public Size size(int program) {
    Pointer info = Memory.allocateDirect(runtime, INFO_SIZE, true);
    check(
        "reading a program's info",
        library.bpf_obj_get_info_by_fd(program, info, new int[] {INFO_SIZE}));
    return new Size(
        info.getInt(XLATED_LENGTH) / INSTRUCTION_SIZE,
        info.getInt(JITED_LENGTH),
        info.getInt(VERIFIED_INSTRUCTIONS));
  }

  /**
   * Keeps a thread on one CPU.
   *
   * @param thread the thread's id; 0 for the calling thread
   */
  public void pin(int thread, int cpu) {
    byte[] mask = new byte[CPU_MASK_SIZE];
    mask[cpu / Byte.SIZE] = (byte) (1 << (cpu % Byte.SIZE));
    if (more.sched_setaffinity(thread, mask.length, mask) != 0) {
      throw new KernelException(
          "pinning thread " + thread + " to CPU " + cpu, runtime.getLastError());
    }
  }

  /** Keeps the calling thread on one CPU. */
  public void pin(int cpu) {
    pin(0, cpu);
  }

  public void close(int descriptor) {
    library.close(descriptor);
  }

  private static int check(String attempt, int result) {
    if (result < 0) {
      throw new KernelException(attempt, -result);
    }
    return result;
  }
}
