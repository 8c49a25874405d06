// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/** A ring buffer of BPF, read by one thread. */
public final class EventRing implements AutoCloseable {
  private static final int EINTR = 4;

  private final LibBpf library;
  private final List<ByteBuffer> taken = new ArrayList<>();

  /** Kept here, because libbpf's reference to it does not keep it from being collected. */
  private final LibBpf.Sample sample = this::take;

  private final Pointer ring;

  EventRing(NativeCalls calls, int map) {
    this.library = calls.library();
    Pointer opened = library.ring_buffer__new(map, sample, null, null);
    if (opened == null) {
      throw new KernelException("mapping a ring buffer", calls.runtime().getLastError());
    }
    this.ring = opened;
  }

  private int take(@Nullable Pointer context, Pointer event, long size) {
    byte[] bytes = new byte[(int) size];
    event.get(0, bytes, 0, bytes.length);
    taken.add(ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()));
    return 0;
  }

  /** Waits for events, and takes those that there are by then; none after the longest wait. */
  public List<ByteBuffer> poll(Duration longest) {
    int result = library.ring_buffer__poll(ring, (int) longest.toMillis());
    if (result != -EINTR) {
      NativeCalls.check("reading a ring buffer", result);
    }
    List<ByteBuffer> events = List.copyOf(taken);
    taken.clear();
    return events;
  }

  @Override
  public void close() {
    library.ring_buffer__free(ring);
  }
}
