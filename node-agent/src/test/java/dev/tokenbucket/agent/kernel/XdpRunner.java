// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/** Runs an XDP program; the time is metadata before the frame, as xdp.h reads it. */
public final class XdpRunner implements Runner {
  private static final int XDP_DROP = 1;
  private static final int XDP_PASS = 2;
  private static final int MOST = 3_500;

  /** Bytes of struct clock_source. */
  private static final int CLOCK = 16;

  /** Bytes of struct xdp_md. */
  private static final int CONTEXT = 24;

  private static final int OPTIONS = 80;

  private final LibBpf library =
      LibraryLoader.create(LibBpf.class).library("libbpf.so.1").library("c").load();
  private final int program;
  private final Pointer data;
  private final Pointer out;
  private final Pointer context;
  private final Pointer options;
  private int length;

  public XdpRunner(int program) {
    Runtime runtime = Runtime.getRuntime(library);
    this.program = program;
    data = Memory.allocateDirect(runtime, CLOCK + MOST, true);
    out = Memory.allocateDirect(runtime, CLOCK + MOST, true);
    context = Memory.allocateDirect(runtime, CONTEXT, true);
    options = Memory.allocateDirect(runtime, OPTIONS, true);
    byte[] zeros = ByteBuffer.allocate(OPTIONS).order(ByteOrder.nativeOrder()).array();
    context.put(0, zeros, 0, CONTEXT);
    context.putInt(0, CLOCK);
    options.put(0, zeros, 0, OPTIONS);
    options.putLong(0, OPTIONS);
    options.putAddress(8, data.address());
    options.putAddress(16, out.address());
    options.putAddress(32, context.address());
    options.putInt(48, CONTEXT);
    options.putInt(60, 1);
  }

  @Override
  public void load(byte[] bytes, int size) {
    length = size;
    data.put(CLOCK, bytes, 0, size);
    options.putInt(24, CLOCK + size);
    context.putInt(4, CLOCK + size);
  }

  /** No frame is merged when XDP sees it. */
  @Override
  public void merge(int segments, int segmentSize) {
    if (segments != 0) {
      throw new IllegalArgumentException("no frame is merged when XDP sees it");
    }
  }

  @Override
  public int run(long time) {
    return run(time, 0);
  }

  /**
   * Runs the program at this time.
   *
   * @param lateTicks by how many ticks the virtual tick is late
   */
  public int run(long time, int lateTicks) {
    data.putLong(0, time);
    data.putInt(8, lateTicks);
    options.putInt(28, CLOCK + MOST);
    options.putInt(52, 0);
    int failed = library.bpf_prog_test_run_opts(program, options);
    if (failed != 0) {
      throw new KernelException("BPF_PROG_TEST_RUN", -failed);
    }
    int verdict = options.getInt(56);
    if (verdict != XDP_DROP && verdict != XDP_PASS) {
      throw new IllegalStateException("verdict " + verdict + " is neither drop nor pass");
    }
    return verdict == XDP_DROP ? DROPPED : PASSES;
  }

  /** The frame as the last run left it. */
  public byte[] frame() {
    byte[] frame = new byte[length];
    out.get(CLOCK, frame, 0, length);
    return frame;
  }
}
