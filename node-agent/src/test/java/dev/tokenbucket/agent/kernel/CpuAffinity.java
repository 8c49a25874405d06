// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import jnr.ffi.LibraryLoader;

/** Keeps a thread on one CPU. */
public final class CpuAffinity {
  private static final int MASK_SIZE = 128;

  /** Of libc, by its C name. */
  public interface Calls {
    int sched_setaffinity(int thread, long size, byte[] mask);
  }

  private CpuAffinity() {}

  /** Keeps the calling thread on this CPU. */
  public static void pin(int cpu) {
    byte[] mask = new byte[MASK_SIZE];
    mask[cpu / 8] = (byte) (1 << (cpu % 8));
    Calls calls = LibraryLoader.create(Calls.class).load("c");
    if (calls.sched_setaffinity(0, MASK_SIZE, mask) != 0) {
      throw new IllegalStateException("a thread can't be kept on CPU " + cpu);
    }
  }
}
