// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

/**
 * Runs a loaded program on frames that no wire carried (BPF_PROG_TEST_RUN), one after the other.
 */
public interface Runner {
  /** The verdict of a packet that passes. */
  int PASSES = -1;

  /** The verdict of a packet that is dropped. */
  int DROPPED = 2;

  /** Sets the frame of the runs to come. */
  void load(byte[] bytes, int length);

  /** Sets the segments of the packet; zeros for a packet as it was sent. */
  void merge(int segments, int segmentSize);

  /** Runs the program at this time, in nanoseconds; returns {@link #PASSES} or {@link #DROPPED}. */
  int run(long time);

  /** Runs a tc program. */
  static Runner of(PacketRunner packets) {
    return new Runner() {
      @Override
      public void load(byte[] bytes, int length) {
        packets.load(bytes, length);
      }

      @Override
      public void merge(int segments, int segmentSize) {
        packets.merge(segments, segmentSize);
      }

      @Override
      public int run(long time) {
        return packets.run(time);
      }
    };
  }
}
