// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.kernel.HookPoint;
import dev.tokenbucket.agent.kernel.Runner;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.VirtualHook.Counters;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Issue 5, "Bad input and hostile packets": mutated packets, seeded by captures of real ones, at
 * the loaded classifier. {@code make fuzz} runs ten million. Needs root.
 */
class FuzzTest extends BothHooksTest {
  private static final Logger LOG = LoggerFactory.getLogger(FuzzTest.class);
  private static final long PACKETS = Long.getLong("fuzz.packets", 300_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);
  private static final int LONGEST = 1600;
  private static final int CHUNK = 50_000;
  private static final long PACKET = 1L << 16;
  private static final long SECOND = 1_000_000_000L;
  private static final int SETS_OF_TERMS = 12;

  /** V is rounded to even units. */
  private static final long ROUNDING = 2;

  private static List<byte[]> seeds = List.of();

  @BeforeAll
  static void capture() throws Exception {
    seeds = Captures.take(LONGEST);
    assertThat(seeds).hasSizeGreaterThan(40);
  }

  /** One bucket for all: every packet of IP is judged, none else, and the bound holds. */
  @Test
  void mutatedPacketsKeepTheBoundAndTheCounters() {
    Policy policy = Policy.packets(1_000_000, 2000);
    try (VirtualHook hook = hook(policy)) {
      AxisLine line = hook.line(policy.at(0), VirtualHook.START);
      Fuzz fuzz = new Fuzz(hook, true);
      long level = line.burst();
      long granted = line.valueAt(fuzz.now);
      long lowest = Long.MAX_VALUE;
      for (long i = 0; i < PACKETS / 3; i++) {
        boolean passed = fuzz.next();
        if (fuzz.isIp && passed) {
          long v = line.valueAt(fuzz.now);
          level = Math.min(line.burst(), level + v - granted) - fuzz.segments * PACKET;
          granted = v;
          lowest = Math.min(lowest, level + (fuzz.segments - 1) * PACKET);
        }
      }
      assertThat(lowest).as("the bucket's level").isGreaterThanOrEqualTo(-PACKET - ROUNDING);
      Counters counters = hook.counters(0);
      assertThat(counters.conformPackets() + counters.exceedPackets()).isEqualTo(fuzz.ipSegments);
      assertThat(counters.conformPackets()).isEqualTo(fuzz.passedSegments);
      assertThat(hook.notIp()).isEqualTo(fuzz.notIp);
      fuzz.log("one bucket");
    }
  }

  /** One bucket per source: each bucket belongs to the source of an IP packet. */
  @Test
  void mutatedPacketsMakeNoBucketWithoutAnIpPacket() {
    try (VirtualHook hook = hook(Policy.bytes(8_000_000, 10_000).perSource(5000))) {
      Fuzz fuzz = new Fuzz(hook, true);
      long left = PACKETS / 3;
      while (left > 0) {
        Set<ByteBuffer> sources = new HashSet<>();
        for (int i = 0; i < CHUNK && left > 0; i++, left--) {
          boolean passed = fuzz.next();
          assertThat(passed || fuzz.isIp).isTrue();
          if (fuzz.isIp) {
            sources.add(fuzz.source());
          }
        }
        assertThat(sources).containsAll(hook.sources(0));
        hook.pass(fuzz.now - hook.now() + 10 * SECOND);
        fuzz.now = hook.now();
        hook.sweep(0);
        assertThat(hook.sources(0)).as("after a sweep of idle buckets").isEmpty();
      }
      Counters counters = hook.counters(0);
      assertThat(counters.conformPackets() + counters.exceedPackets()).isEqualTo(fuzz.ipSegments);
      assertThat(hook.notIp()).isEqualTo(fuzz.notIp);
      fuzz.log("one bucket per source");
    }
  }

  /**
   * Policies that use each part of parsers and actions: matches, exemptions, failsafes, flows,
   * rewriting.
   */
  @Test
  void mutatedPacketsAreJudgedByEveryKindOfPolicy() {
    Policy flows = Policy.packets(1_000_000, 100).perFlow(1000).withFailsafes();
    Policy fields = Policy.bytes(80_000_000, 20_000).per(BucketPer.DestinationIP, 100).evicting();
    fields = fields.matching(Terms.everyField(), Terms.protocol(Terms.UDP));
    Policy dscp = Policy.packets(100_000, 10).settingDscp(10);
    for (boolean ethernet :
        ingress() == HookPoint.XDP ? new boolean[] {true} : new boolean[] {true, false}) {
      judge(ethernet, flows.markingEcn().exempting(Terms.newConnections()));
      judge(ethernet, fields.markingEcn());
      judge(
          ethernet,
          flows.markingEcn(),
          fields.markingEcn(),
          dscp.matching(Terms.to("0.0.0.0/1", "8000::/1")));
    }
  }

  /** Which packets terms of all kinds are true of: the oracle reads the frame by itself. */
  @Test
  void mutatedPacketsAreMatchedAsTheTermsSay() {
    Random random = new Random(SEED);
    long judged = 0;
    for (int i = 0; i < SETS_OF_TERMS; i++) {
      NodeMatchTerm[] match =
          Stream.generate(() -> TermOracle.random(random)).limit(3).toArray(NodeMatchTerm[]::new);
      judged += match(Policy.packets(1, 1).matching(match).exempting(TermOracle.random(random)));
    }
    assertThat(judged).isBetween(PACKETS / 60, PACKETS / 4);
  }

  /**
   * Judges packets with a bucket of one token, which drops all but the first. Returns the number of
   * drops.
   */
  private long match(Policy policy) {
    NodePolicy asked = policy.at(0);
    long dropped = 0;
    boolean remembers = asksForWhatIsRemembered(asked);
    try (VirtualHook hook = hook(policy)) {
      Fuzz fuzz = new Fuzz(hook, true);
      boolean drained = false;
      for (long i = 0; i < PACKETS / 3 / SETS_OF_TERMS; i++) {
        boolean passed = fuzz.next();
        if (!fuzz.isIp || fuzz.unreadable) {
          drained |= fuzz.unreadable;
          continue;
        }
        SeenPacket packet = fuzz.packet();
        boolean left = remembers && packet.isLaterFragment();
        boolean merged = fuzz.segments > 1 && asksForLength(asked);
        if (drained && !left && !merged) {
          assertThat(!passed)
              .as("packet %d is judged by %s and %s", i, asked.match(), asked.exempt())
              .isEqualTo(TermOracle.judges(asked, packet));
        }
        drained |= !passed || TermOracle.judges(asked, packet);
        dropped += passed ? 0 : 1;
      }
      fuzz.log("terms");
      return dropped;
    }
  }

  /** Later fragments have the ports and ICMP types of a possible earlier fragment. */
  private static boolean asksForWhatIsRemembered(NodePolicy policy) {
    return terms(policy)
        .anyMatch(
            term ->
                term.icmp() != null
                    || !term.sourcePorts().isEmpty()
                    || !term.destinationPorts().isEmpty());
  }

  private static boolean asksForLength(NodePolicy policy) {
    return terms(policy).anyMatch(term -> !term.packetLengths().isEmpty());
  }

  private static Stream<NodeMatchTerm> terms(NodePolicy policy) {
    return Stream.concat(policy.match().stream(), policy.exempt().stream());
  }

  private void judge(boolean ethernet, Policy... policies) {
    try (VirtualHook hook =
        hook(Direction.Ingress, ethernet, FailsafeSettings.LINK_ONLY, policies)) {
      Fuzz fuzz = new Fuzz(hook, ethernet);
      for (long i = 0; i < PACKETS / 18; i++) {
        boolean passed = fuzz.next();
        assertThat(passed || fuzz.isIp).isTrue();
      }
      assertThat(hook.notIp()).isEqualTo(fuzz.notIp);
      for (int policy = 0; policy < policies.length; policy++) {
        Counters counters = hook.counters(policy);
        assertThat(counters.conformPackets() + counters.exceedPackets())
            .isBetween(1L, fuzz.ipSegments);
        assertThat(counters.marked()).isLessThanOrEqualTo(counters.exceedPackets());
      }
      fuzz.log("%d policies%s".formatted(policies.length, ethernet ? "" : ", without Ethernet"));
    }
  }

  /** A stream of mutated packets, each with the result of a reader of the standards. */
  private static final class Fuzz {
    private final Mutator mutator;
    private final Random random = new Random(SEED + 1);
    private final Runner packets;
    private final boolean ethernet;
    private final boolean merges;
    private final long begun = System.nanoTime();
    private long now = VirtualHook.START;
    private long count;
    private boolean isIp;
    private boolean unreadable;
    private int network;
    private int segments;
    private long ipSegments;
    private long passedSegments;
    private long notIp;

    Fuzz(VirtualHook hook, boolean ethernet) {
      packets = hook.runner();
      merges = hook.seesMergedPackets();
      this.ethernet = ethernet;
      List<byte[]> from = ethernet ? seeds : withoutEthernet();
      mutator = new Mutator(from, LONGEST, new Random(SEED));
    }

    /** BPF_PROG_TEST_RUN takes the protocol from where it would be in an Ethernet header. */
    private static List<byte[]> withoutEthernet() {
      return seeds.stream()
          .filter(frame -> (frame[12] == 0x08 && frame[13] == 0) || frame[12] == (byte) 0x86)
          .map(
              frame -> {
                byte[] packet = Arrays.copyOfRange(frame, 14, frame.length);
                System.arraycopy(frame, 12, packet, 12, 2);
                return packet;
              })
          .toList();
    }

    /** Whether the next packet passed. */
    boolean next() {
      do {
        mutator.next();
      } while (isRefusedByTheKernel());
      now += random.nextInt(8) == 0 ? random.nextInt(4000) : 0;
      segments = merges && random.nextInt(20) == 0 ? 1 + random.nextInt(44) : 1;
      packets.load(mutator.frame(), mutator.length());
      packets.merge(segments == 1 ? 0 : segments, segments == 1 ? 0 : 100);
      int verdict = packets.run(now);
      if (verdict != Runner.DROPPED && verdict != Runner.PASSES) {
        throw new AssertionError("packet " + count + ": verdict " + verdict);
      }
      boolean passed = verdict == Runner.PASSES;
      count++;
      isIp = findIp();
      ipSegments += isIp ? segments : 0;
      passedSegments += isIp && passed ? segments : 0;
      notIp += isIp ? 0 : 1;
      return passed;
    }

    /**
     * BPF_PROG_TEST_RUN refuses a frame that is shorter than its type says, except behind a tag.
     */
    private boolean isRefusedByTheKernel() {
      int type = type(12);
      return (type == 0x0800 && mutator.length() < 34) || (type == 0x86dd && mutator.length() < 54);
    }

    /**
     * Behind an Ethernet header and tags, a whole fixed header of the right version. More than
     * eight tags, and one that is cut off, are judged though nobody can say what they hold.
     */
    private boolean findIp() {
      unreadable = false;
      network = 0;
      if (!ethernet) {
        return is(4, 20) || is(6, 40);
      }
      int at = 12;
      int type = type(at);
      for (int tags = 0; type == 0x8100 || type == 0x88a8; tags++) {
        at += 4;
        if (tags == 8 || at + 2 > mutator.length()) {
          unreadable = true;
          return true;
        }
        type = type(at);
      }
      network = at + 2;
      return (type == 0x0800 && is(4, 20)) || (type == 0x86dd && is(6, 40));
    }

    private int type(int at) {
      return ByteBuffer.wrap(mutator.frame()).getShort(at) & 0xffff;
    }

    private boolean is(int version, int header) {
      return mutator.length() >= network + header
          && (mutator.frame()[network] & 0xf0) >> 4 == version;
    }

    /** The readable parts of an IP packet. */
    SeenPacket packet() {
      return new SeenPacket(mutator.frame(), mutator.length(), network);
    }

    /** As {@link VirtualHook#sources} gives it: IPv4 whole, of IPv6 the first 64 bits. */
    ByteBuffer source() {
      if (unreadable) {
        return ByteBuffer.allocate(17).put(16, (byte) 1);
      }
      boolean ipv4 = (mutator.frame()[network] & 0xf0) == 0x40;
      ByteBuffer key = ByteBuffer.allocate(17).put(16, (byte) (ipv4 ? 4 : 6));
      return key.put(0, mutator.frame(), network + (ipv4 ? 12 : 8), ipv4 ? 4 : 8);
    }

    void log(String what) {
      double seconds = (System.nanoTime() - begun) / 1e9;
      LOG.info(
          "fuzz, {}: {} packets, {} not IP, {}/s", what, count, notIp, Math.round(count / seconds));
    }
  }
}
