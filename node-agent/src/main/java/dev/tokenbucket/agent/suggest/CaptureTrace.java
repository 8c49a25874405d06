// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.suggest;

import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.capture.CapturedFrame;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.PacketRunner;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.agent.simulate.SimulatedHook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The trace of a capture: each packet's key is the one that the classifier would charge under a
 * policy.
 *
 * @param begin the time of the first packet
 * @param leftOut packets that exceeded the trace's capacity
 */
public record CaptureTrace(Trace trace, Instant begin, long leftOut) {
  private static final int MOST_KEYS = 100_000;
  private static final int SHORTEST = 54;

  /**
   * Reads a capture.
   *
   * @param object the bytes of replay.bpf.o
   * @param policy defines which key has a bucket, and what a token is
   */
  public static CaptureTrace read(
      Kernel kernel, byte[] object, NodePolicy policy, CaptureReader capture) throws IOException {
    Trace trace = new Trace();
    if (!capture.next()) {
      return new CaptureTrace(trace, Instant.EPOCH, 0);
    }
    long first = capture.frame().nanos();
    long leftOut = 0;
    try (SimulatedHook hook =
        new SimulatedHook(
            kernel,
            object,
            policy.direction(),
            capture.frame().link().isEthernet(),
            List.of(policy),
            FailsafeSettings.LINK_ONLY)) {
      Map<BucketKey, Integer> keys = new HashMap<>();
      BucketKey probe = new BucketKey();
      do {
        PacketReport packet = run(hook, capture.frame());
        if (packet.judged() != 0) {
          probe.set(policy, packet);
          Integer key = keys.get(probe);
          if (key == null && keys.size() < MOST_KEYS) {
            key = keys.size();
            keys.put(probe.copy(), key);
          }
          int cost = policy.unit() == RateUnit.Bits ? (int) packet.length() : 1;
          if (key == null || !trace.add(capture.frame().nanos() - first, key, cost)) {
            leftOut++;
          }
        }
      } while (capture.next());
    }
    return new CaptureTrace(trace, Instant.ofEpochSecond(0, first), leftOut);
  }

  /**
   * Runs a frame. A frame that is too short for the kernel is padded, because its contents matter
   * little.
   */
  private static PacketReport run(SimulatedHook hook, CapturedFrame frame) {
    int header = Math.min(frame.link().headerBytes(), frame.captured());
    int length = Math.max(frame.length() - header, SHORTEST);
    int taken = Math.min(length, PacketRunner.MAX_FRAME);
    return hook.run(
        frame.bytes(),
        header,
        Math.min(frame.captured() - header, taken),
        taken,
        SimulatedHook.START);
  }
}
