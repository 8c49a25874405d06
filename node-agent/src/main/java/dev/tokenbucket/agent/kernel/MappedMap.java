// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import jnr.ffi.Pointer;

/** The value of a map of one element, mapped into this process. */
public final class MappedMap implements AutoCloseable {
  /** The kernel maps whole pages. */
  private static final int PAGE = 4096;

  private static final int PROT_READ = 1;
  private static final int MAP_SHARED = 1;
  private static final long MAP_FAILED = -1;

  private final LibBpf library;
  private final Pointer memory;
  private final long length;

  MappedMap(NativeCalls calls, int map, int valueSize) {
    this.library = calls.library();
    this.length = ((long) valueSize + PAGE - 1) / PAGE * PAGE;
    Pointer mapped = library.mmap(null, length, PROT_READ, MAP_SHARED, map, 0);
    if (mapped == null || mapped.address() == MAP_FAILED) {
      throw new KernelException("mapping a map", calls.runtime().getLastError());
    }
    this.memory = mapped;
  }

  /** Copies the value's first bytes, as many as the array has. */
  public void read(byte[] to) {
    memory.get(0, to, 0, to.length);
  }

  @Override
  public void close() {
    library.munmap(memory, length);
  }
}
