// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/** Runs a tc program in the kernel on a frame that no wire carried (BPF_PROG_TEST_RUN). */
public final class ProgramTestRun {
  // struct __sk_buff and struct bpf_test_run_opts
  private static final int SKB_SIZE = 192;
  private static final int SKB_MARK = 8;
  private static final int SKB_TSTAMP = 152;
  private static final int SKB_WIRE_LEN = 160;
  private static final int SKB_GSO_SEGS = 164;
  private static final int SKB_GSO_SIZE = 176;
  private static final int OPTIONS_SIZE = 80;

  private final LibBpf library =
      LibraryLoader.create(LibBpf.class).library("libbpf.so.1").library("c").load();
  private final Runtime runtime = Runtime.getRuntime(library);

  /** Merged segments, as GRO leaves them; {@code NONE} for a packet as it was sent. */
  public record Merged(int segments, int segmentSize, int wireLength) {
    public static final Merged NONE = new Merged(0, 0, 0);
  }

  /**
   * Runs the program once.
   *
   * @param time the packet's time stamp, in nanoseconds
   * @param mark the packet's mark: by how many ticks the virtual tick is late
   * @return the program's verdict
   */
  public int run(int program, byte[] frame, long time, int mark, Merged merged) {
    Pointer data = Memory.allocateDirect(runtime, frame.length, true);
    data.put(0, frame, 0, frame.length);
    return run(program, data, null, frame.length, time, mark, merged);
  }

  /**
   * Runs the program once and puts the frame as it left it into {@code frame}.
   *
   * @return the program's verdict
   */
  public int rewrite(int program, byte[] frame, long time) {
    Pointer data = Memory.allocateDirect(runtime, frame.length, true);
    data.put(0, frame, 0, frame.length);
    Pointer out = Memory.allocateDirect(runtime, frame.length, true);
    int verdict = run(program, data, out, frame.length, time, 0, Merged.NONE);
    out.get(0, frame, 0, frame.length);
    return verdict;
  }

  private int run(
      int program,
      Pointer data,
      @Nullable Pointer out,
      int length,
      long time,
      int mark,
      Merged merged) {
    ByteBuffer skb = ByteBuffer.allocate(SKB_SIZE).order(ByteOrder.nativeOrder());
    skb.putInt(SKB_MARK, mark);
    skb.putLong(SKB_TSTAMP, time);
    skb.putInt(SKB_WIRE_LEN, merged.wireLength());
    skb.putInt(SKB_GSO_SEGS, merged.segments());
    skb.putInt(SKB_GSO_SIZE, merged.segmentSize());
    Pointer context = Memory.allocateDirect(runtime, SKB_SIZE, true);
    context.put(0, skb.array(), 0, SKB_SIZE);
    Pointer options = Memory.allocateDirect(runtime, OPTIONS_SIZE, true);
    options.putLong(0, OPTIONS_SIZE);
    options.putAddress(8, data.address());
    options.putInt(24, length);
    if (out != null) {
      options.putAddress(16, out.address());
      options.putInt(28, length);
    }
    options.putAddress(32, context.address());
    options.putInt(48, SKB_SIZE);
    options.putInt(60, 1);
    int failed = library.bpf_prog_test_run_opts(program, options);
    if (failed != 0) {
      throw new KernelException("BPF_PROG_TEST_RUN", -failed);
    }
    return options.getInt(56);
  }
}
