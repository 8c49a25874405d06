// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * Runs a tc program on one packet after the other, a native call each and no allocation, so that
 * millions of packets take seconds. Of one thread.
 */
public final class PacketRunner {
  /** Longest frame that it takes: the kernel has room for it in a page, beside what it adds. */
  public static final int MAX_FRAME = 3_500;

  // struct __sk_buff and struct bpf_test_run_opts
  private static final int SKB_SIZE = 192;
  private static final int SKB_TSTAMP = 152;
  private static final int SKB_GSO_SEGS = 164;
  private static final int SKB_GSO_SIZE = 176;
  private static final int OPTIONS_SIZE = 80;
  private static final int OPTION_LENGTH = 24;
  private static final int OPTION_LENGTH_OUT = 28;
  private static final int OPTION_CONTEXT_OUT = 52;
  private static final int OPTION_VERDICT = 56;

  private final LibBpf library;
  private final int program;
  private final Pointer frame;
  private final Pointer skb;
  private final Pointer options;

  /**
   * @param program a loaded program's descriptor
   */
  PacketRunner(NativeCalls calls, int program) {
    this.library = calls.library();
    this.program = program;
    Runtime runtime = calls.runtime();
    frame = Memory.allocateDirect(runtime, MAX_FRAME, true);
    skb = Memory.allocateDirect(runtime, SKB_SIZE, true);
    ByteBuffer clear = ByteBuffer.allocate(OPTIONS_SIZE).order(ByteOrder.nativeOrder());
    options = Memory.allocateDirect(runtime, OPTIONS_SIZE, true);
    options.put(0, clear.array(), 0, OPTIONS_SIZE);
    options.putLong(0, OPTIONS_SIZE);
    options.putAddress(8, frame.address());
    options.putAddress(32, skb.address());
    options.putInt(48, SKB_SIZE);
    options.putInt(60, 1);
  }

  /** The frame of the runs to come. */
  public void load(byte[] bytes, int length) {
    load(bytes, 0, length, length);
  }

  /**
   * The frame of the next runs: length bytes from an offset on, then zeros up to its length.
   *
   * @param length at most {@link #MAX_FRAME}
   */
  public void load(byte[] bytes, int offset, int known, int length) {
    frame.put(0, bytes, offset, known);
    frame.setMemory(known, (long) length - known, (byte) 0);
    options.putInt(OPTION_LENGTH, length);
  }

  /** Its segments, as the kernel reports them; zeros for a packet as it was sent. */
  public void merge(int segments, int segmentSize) {
    skb.putInt(SKB_GSO_SEGS, segments);
    skb.putInt(SKB_GSO_SIZE, segmentSize);
  }

  /**
   * Runs the program.
   *
   * @param time the packet's time stamp, in nanoseconds
   * @return the program's verdict
   */
  public int run(long time) {
    skb.putLong(SKB_TSTAMP, time);
    // Written by the last run; taken for the room that there is, otherwise.
    options.putInt(OPTION_LENGTH_OUT, 0);
    options.putInt(OPTION_CONTEXT_OUT, 0);
    int failed = library.bpf_prog_test_run_opts(program, options);
    if (failed != 0) {
      throw new KernelException("BPF_PROG_TEST_RUN", -failed);
    }
    return options.getInt(OPTION_VERDICT);
  }
}
