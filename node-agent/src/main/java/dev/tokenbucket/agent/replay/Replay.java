// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.replay;

import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.capture.CapturedFrame;
import dev.tokenbucket.agent.capture.LinkType;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.PacketRunner;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.agent.simulate.SimulatedHook;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a capture through the classifier in the kernel, on the packets' own clock. For one thread
 * only.
 */
public final class Replay {
  private static final double NANOS = 1e9;

  /** The most distinguished keys, over all policies: about 20 MB of memory. */
  private static final int MOST_KEYS = 100_000;

  /** Bytes of headers, and the offset of the type in an Ethernet header. */
  private static final int ETHERNET = 14;

  private static final int TYPE = 12;
  private static final int IPV4 = 20;
  private static final int IPV6 = 40;

  private final Kernel kernel;
  private final byte[] object;
  private final Settings settings;
  private final FrameSink sink;
  private final List<PolicyTally> tallies = new ArrayList<>();
  private long packets;
  private long dropped;
  private long notIp;
  private long failsafeExempt;
  private long shortened;
  private long first;
  private long last;

  /**
   * The configuration of a replay.
   *
   * @param policies the policies of that direction, in the order in which they apply
   * @param mostKeys how many keys and first refusals to report per policy
   */
  public record Settings(
      Direction direction, List<NodePolicy> policies, FailsafeSettings failsafes, int mostKeys) {
    public Settings {
      policies = policies.stream().sorted(NodePolicy.ORDER).toList();
    }
  }

  /** Receives each packet. */
  @FunctionalInterface
  public interface FrameSink {
    void take(CapturedFrame frame, boolean passed) throws IOException;
  }

  /**
   * @param object the bytes of replay.bpf.o
   */
  public Replay(Kernel kernel, byte[] object, Settings settings, FrameSink sink) {
    this.kernel = kernel;
    this.object = object.clone();
    this.settings = settings;
    this.sink = sink;
    int policies = settings.policies().size();
    for (NodePolicy policy : settings.policies()) {
      tallies.add(
          new PolicyTally(
              policy, tallies.size(), MOST_KEYS / Math.max(1, policies), settings.mostKeys()));
    }
  }

  /**
   * Runs all packets of a capture. After a failure, {@link #report} covers the packets before it.
   *
   * @throws IOException if the file is no capture, has several link types, or ends too early
   */
  public void run(CaptureReader capture) throws IOException {
    if (!capture.next()) {
      return;
    }
    LinkType link = capture.frame().link();
    first = capture.frame().nanos();
    last = first;
    try (SimulatedHook hook =
        new SimulatedHook(
            kernel,
            object,
            settings.direction(),
            link.isEthernet(),
            settings.policies(),
            settings.failsafes())) {
      do {
        if (capture.frame().link() != link) {
          throw new IOException(
              "packet %d is of another link type than those before it; a hook has frames of one"
                  .formatted(capture.frame().number()));
        }
        run(hook, capture.frame());
      } while (capture.next());
    }
  }

  private void run(SimulatedHook hook, CapturedFrame frame) throws IOException {
    packets++;
    last = Math.max(last, frame.nanos());
    int header = Math.min(frame.link().headerBytes(), frame.captured());
    int length = frame.length() - header;
    int least = leastLength(frame, header);
    boolean passed = true;
    if (length < least && frame.link().isEthernet()) {
      notIp++;
    } else {
      passed = runs(hook, frame, header, Math.max(length, least));
    }
    dropped += passed ? 0 : 1;
    sink.take(frame, passed);
  }

  /** Whether the frame passes. */
  private boolean runs(SimulatedHook hook, CapturedFrame frame, int header, int length) {
    int taken = Math.min(length, PacketRunner.MAX_FRAME);
    int known = Math.min(frame.captured() - header, taken);
    long after = frame.nanos() - first;
    PacketReport packet =
        hook.run(frame.bytes(), header, known, taken, Math.max(1, SimulatedHook.START + after));
    shortened += taken < length ? 1 : 0;
    notIp += packet.version() == 0 ? 1 : 0;
    failsafeExempt += packet.isFailsafe() ? 1 : 0;
    for (PolicyTally tally : tallies) {
      tally.add(packet, frame, after);
    }
    return !packet.isDropped();
  }

  /**
   * The kernel refuses to run a program on a frame that has no room for the header of its apparent
   * type. A frame on Ethernet then holds no IP; a frame of another link is padded.
   */
  private static int leastLength(CapturedFrame frame, int header) {
    if (frame.captured() - header < ETHERNET) {
      return ETHERNET;
    }
    int type =
        Byte.toUnsignedInt(frame.bytes()[header + TYPE]) << 8
            | Byte.toUnsignedInt(frame.bytes()[header + TYPE + 1]);
    return switch (type) {
      case 0x0800 -> ETHERNET + IPV4;
      case 0x86dd -> ETHERNET + IPV6;
      default -> ETHERNET;
    };
  }

  /** The report on the packets so far. */
  public ReplayReport report(String file) {
    return new ReplayReport(
        ReplayReport.SCHEMA,
        file,
        settings.direction(),
        packets,
        packets - dropped,
        dropped,
        notIp,
        failsafeExempt,
        shortened,
        Instant.ofEpochSecond(0, first).toString(),
        (last - first) / NANOS,
        tallies.stream().map(each -> each.report(settings.mostKeys())).toList());
  }
}
