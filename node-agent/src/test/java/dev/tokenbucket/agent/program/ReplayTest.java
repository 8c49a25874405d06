// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.capture.CaptureFiles;
import dev.tokenbucket.agent.capture.CaptureFiles.Frame;
import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.compile.ReplayObject;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.replay.Replay;
import dev.tokenbucket.agent.replay.ReplayReport;
import dev.tokenbucket.agent.replay.ReplayReport.PolicyReport;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Captures through the classifier in the kernel, of which the answer is known. Needs root. */
class ReplayTest extends KernelTest {
  /** Packets of the corpus, and places for buckets. */
  private static final int ROOM = 30_000;

  private static final int ETHERNET = 1;
  private static final int IP = 101;
  private static final int LINUX_COOKED = 113;
  private static final int ROUTER_SOLICITATION = 133;
  private static final long SECOND = 1_000_000_000L;
  private static final long BEGIN = 1_700_000_000 * SECOND;

  private record Replayed(ReplayReport report, List<Boolean> passed) {
    PolicyReport policy(int index) {
      return report.policies().get(index);
    }
  }

  private static byte[] pcap(int link, List<Frame> frames) {
    return CaptureFiles.pcap(link, true, ByteOrder.LITTLE_ENDIAN, frames);
  }

  /** Runs on a separate thread, because a replay keeps its thread on one CPU. */
  private static Replayed replay(byte[] capture, Policy... policies) throws Exception {
    List<NodePolicy> placed = new ArrayList<>();
    for (Policy policy : policies) {
      placed.add(policy.at(placed.size()));
    }
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      return thread.submit(() -> replayHere(capture, placed)).get();
    } finally {
      thread.shutdown();
    }
  }

  private static Replayed replayHere(byte[] capture, List<NodePolicy> policies) throws IOException {
    Replay.Settings settings =
        new Replay.Settings(Direction.Ingress, policies, FailsafeSettings.LINK_ONLY, 10);
    List<Boolean> verdicts = new ArrayList<>();
    LinuxKernel kernel = new LinuxKernel();
    Replay replay =
        new Replay(kernel, ReplayObject.read(), settings, (frame, passed) -> verdicts.add(passed));
    try (CaptureReader reader = CaptureReader.of(new ByteArrayInputStream(capture), "capture")) {
      replay.run(reader);
    }
    return new Replayed(replay.report("capture"), verdicts);
  }

  /** Equal frames, spread evenly over a time from the beginning on. */
  private static List<Frame> evenly(int count, long nanos, byte[] frame) {
    List<Frame> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      frames.add(new Frame(BEGIN + i * (nanos / count), frame));
    }
    return frames;
  }

  @Test
  void aRateLetsPassWhatItGrantsUnderThePacketsOwnClock() throws Exception {
    Replayed replayed =
        replay(
            pcap(ETHERNET, evenly(10_000, 10 * SECOND, Frames.udp("10.0.0.2", 100))),
            Policy.packets(100, 50).perSource(10));

    PolicyReport policy = replayed.policy(0);
    assertThat(policy.conformPackets()).isBetween(1_048L, 1_050L);
    assertThat(policy.conformPackets() + policy.exceedPackets()).isEqualTo(10_000);
    assertThat(policy.exceedBytes()).isEqualTo(100 * policy.exceedPackets());
    assertThat(replayed.report().dropped()).isEqualTo(policy.exceedPackets());
    assertThat(replayed.report().seconds()).isEqualTo(9.999);
    assertThat(policy.timeline()).hasSize(10);
    assertThat(policy.timeline().get(5).conformPackets()).isBetween(99L, 101L);
  }

  @Test
  void eachKeyIsToldWithItsFirstRefusal() throws Exception {
    List<Frame> frames = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      frames.add(new Frame(BEGIN + i * 1_000_000L, Frames.udp("10.0.0.2", 100)));
      if (i % 10 == 0) {
        frames.add(new Frame(BEGIN + i * 1_000_000L, Frames.udp("fd00::2", 100)));
      }
    }
    Replayed replayed =
        replay(pcap(ETHERNET, frames), Policy.packets(1, 10).perSource(10).audited());

    PolicyReport policy = replayed.policy(0);
    assertThat(replayed.report().dropped()).as("Audit drops nothing").isZero();
    assertThat(policy.keyCount()).isEqualTo(2);
    assertThat(policy.keys())
        .extracting(each -> each.key())
        .containsExactly("10.0.0.2", "fd00::/64");
    assertThat(policy.keys().get(0).conformPackets()).isEqualTo(10);
    assertThat(policy.keys().get(0).exceedPackets()).isEqualTo(30);
    assertThat(policy.keys().get(0).firstExceedSeconds()).isEqualTo(0.01);
    assertThat(policy.keys().get(1).firstExceedSeconds()).isNull();
    assertThat(policy.firstRefusals()).hasSize(10);
    assertThat(policy.firstRefusals().get(0).packet()).isEqualTo(12);
  }

  @Test
  void aCutFrameIsChargedForWhatItHadOnTheWire() throws Exception {
    byte[] capture = pcap(ETHERNET, evenly(1, SECOND, Frames.udp("10.0.0.2", 60)));
    // The record's length on the wire.
    capture[24 + 12] = (byte) 0xe8;
    capture[24 + 13] = 3;

    PolicyReport policy = replay(capture, Policy.bytes(8_000, 2_000).perSource(1)).policy(0);
    assertThat(policy.conformBytes()).isEqualTo(1_000);
  }

  @Test
  void linksWithoutEthernetAreRead() throws Exception {
    byte[] ethernet = Frames.udp("10.0.0.2", 100);
    byte[] ip = Arrays.copyOfRange(ethernet, 14, 100);
    byte[] cooked = new byte[16 + ip.length];
    System.arraycopy(ip, 0, cooked, 16, ip.length);
    Policy policy = Policy.packets(1, 3).perSource(10);

    for (byte[] capture :
        new byte[][] {
          pcap(IP, evenly(5, 1_000_000, ip)), pcap(LINUX_COOKED, evenly(5, 1_000_000, cooked))
        }) {
      PolicyReport report = replay(capture, policy).policy(0);
      assertThat(report.keys().get(0).key()).isEqualTo("10.0.0.2");
      assertThat(report.conformPackets()).isEqualTo(3);
      assertThat(report.exceedPackets()).isEqualTo(2);
    }
  }

  @Test
  void aPairIsNamedByBothNetworks() throws Exception {
    byte[] frame = Frames.udp("10.0.0.2", 100);
    String destination =
        InetAddress.getByAddress(Arrays.copyOfRange(frame, 30, 34)).getHostAddress();
    Policy policy = Policy.packets(1, 3).per(BucketPer.SourceAndDestinationIP, 10);

    PolicyReport report = replay(pcap(ETHERNET, evenly(5, 1_000_000, frame)), policy).policy(0);

    assertThat(report.keys().get(0).key()).isEqualTo("10.0.0.2 > " + destination);
    assertThat(report.exceedPackets()).isEqualTo(2);
  }

  @Test
  void whatNoPolicyJudgesIsToldApart() throws Exception {
    List<Frame> frames = new ArrayList<>(evenly(3, 1_000, Frames.arp()));
    frames.add(new Frame(BEGIN, Frames.icmpv6(ROUTER_SOLICITATION, 255)));
    frames.add(new Frame(BEGIN, new byte[] {1}));
    frames.add(new Frame(BEGIN, Frames.tcp(1, 443, 2)));
    Replayed replayed =
        replay(
            pcap(ETHERNET, frames),
            Policy.packets(1, 1).withFailsafes().exempting(Terms.newConnections()));

    assertThat(replayed.report().notIp()).isEqualTo(4);
    assertThat(replayed.report().failsafeExempt()).isEqualTo(1);
    assertThat(replayed.policy(0).conformPackets()).isZero();
    assertThat(replayed.report().passed()).isEqualTo(6);
  }

  /** The verifier accepts as many policies as a hook holds, of every kind. */
  @Test
  void aFullHookIsReplayed() throws Exception {
    Policy flows = Policy.packets(1, 1).perFlow(10).withFailsafes().markingEcn();
    Policy fields = Policy.bytes(8_000, 2_000).per(BucketPer.DestinationIP, 10).settingDscp(10);
    Policy[] policies = new Policy[64];
    for (int i = 0; i < policies.length; i++) {
      policies[i] =
          (i % 2 == 0 ? flows : fields)
              .matching(Terms.everyField(), Terms.protocol(Terms.UDP))
              .exempting(Terms.newConnections());
    }
    Replayed replayed =
        replay(pcap(ETHERNET, evenly(1, 1_000, Frames.udp("10.0.0.2", 100))), policies);

    assertThat(replayed.report().policies())
        .allSatisfy(policy -> assertThat(policy.conformPackets()).isEqualTo(1));
  }

  /**
   * Packet by packet. The tables have room for all keys: which bucket makes room in a full table
   * depends on the hash key, which each hook here has of its own.
   */
  @Test
  void itAgreesWithTheClassifierOnAFuzzedCorpus() throws Exception {
    Policy flows = Policy.packets(200, 5).perFlow(ROOM).withFailsafes().markingEcn();
    Policy fields = Policy.bytes(160_000, 3_000).per(BucketPer.DestinationIP, ROOM);
    Policy[] policies = {
      flows.exempting(Terms.newConnections()),
      fields.matching(Terms.everyField(), Terms.protocol(Terms.UDP)),
      Policy.packets(1_000, 10).perSource(ROOM)
    };
    Mutator mutator = new Mutator(Captures.take(1600), 1600, new Random(1));
    Random random = new Random(2);
    List<Frame> corpus = new ArrayList<>();
    long now = BEGIN;
    while (corpus.size() < ROOM) {
      mutator.next();
      now += random.nextInt(40_000);
      corpus.add(new Frame(now, Arrays.copyOf(mutator.frame(), mutator.length())));
    }
    Replayed replayed = replay(pcap(ETHERNET, corpus), policies);

    try (VirtualHook hook = hook(policies)) {
      long first = corpus.get(0).nanos();
      for (int i = 0; i < corpus.size(); i++) {
        byte[] frame = new byte[corpus.get(i).bytes().remaining()];
        corpus.get(i).bytes().duplicate().get(frame);
        hook.pass(VirtualHook.START + corpus.get(i).nanos() - first - hook.now());
        boolean passes = isRefusedByTheKernel(frame) || hook.passes(frame);
        assertThat(replayed.passed().get(i)).as("packet %d", i).isEqualTo(passes);
      }
      for (int i = 0; i < policies.length; i++) {
        assertThat(replayed.policy(i).conformPackets())
            .isEqualTo(hook.counters(i).conformPackets());
        assertThat(replayed.policy(i).exceedBytes()).isEqualTo(hook.counters(i).exceedBytes());
      }
    }
    assertThat(replayed.report().dropped()).isGreaterThan(1_000);
  }

  /** Shorter than its type says: no hook would find IP in it. */
  private static boolean isRefusedByTheKernel(byte[] frame) {
    if (frame.length < 14) {
      return true;
    }
    int type = Byte.toUnsignedInt(frame[12]) << 8 | Byte.toUnsignedInt(frame[13]);
    return (type == 0x0800 && frame.length < 34) || (type == 0x86dd && frame.length < 54);
  }
}
