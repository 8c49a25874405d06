// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tokenbucket.agent.layout.ExcessEventLayout;
import dev.tokenbucket.agent.layout.PolicyExcess;
import dev.tokenbucket.agent.observe.Excess.Outcome;
import dev.tokenbucket.agent.simulate.Addresses;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

class ExcessReaderProperties {
  private static final Instant NOW = Instant.parse("2026-11-30T12:00:00Z");
  private static final long NANOS = 1L << 50;
  private static final int IPV4_PREFIX = 24;
  private static final int IPV6_PREFIX = 64;

  private static final Map<Outcome, Integer> OUTCOMES =
      Map.of(
          Outcome.Refused, PolicyExcess.POLICY_DROP,
          Outcome.Audited, PolicyExcess.POLICY_AUDITED,
          Outcome.Marked, PolicyExcess.POLICY_MARKED);

  private static SlotIdentity owner(BucketPer per) {
    return new SlotIdentity(
        "web", "uid", RateUnit.Packets, per, 8, false, IPV4_PREFIX, IPV6_PREFIX, 0, Role.OWN);
  }

  @Property
  void whatIsWrittenIsRead(
      @ForAll boolean ipv6,
      @ForAll @Size(16) byte[] source,
      @ForAll @Size(16) byte[] destination,
      @ForAll @IntRange(max = 65_535) int sourcePort,
      @ForAll @IntRange(max = 65_535) int destinationPort,
      @ForAll @IntRange(max = 255) int protocol,
      @ForAll boolean ports,
      @ForAll Outcome outcome,
      @ForAll Direction direction,
      @ForAll @LongRange(max = 1L << 40) long age,
      @ForAll @LongRange(max = 1L << 40) long bytes,
      @ForAll BucketPer per)
      throws UnknownHostException {
    ByteBuffer event =
        event(
            to -> {
              ExcessEventLayout.TIME.putLong(to, NANOS - age);
              ExcessEventLayout.BYTES.putLong(to, bytes);
              ExcessEventLayout.SOURCE.put(to, address(source, ipv6, true));
              ExcessEventLayout.DESTINATION.put(to, address(destination, ipv6, true));
              ExcessEventLayout.SEGMENTS.putInt(to, 3);
              ExcessEventLayout.EGRESS.putInt(to, direction == Direction.Egress ? 1 : 0);
              ExcessEventLayout.SOURCE_PORT.put(to, port(sourcePort));
              ExcessEventLayout.DESTINATION_PORT.put(to, port(destinationPort));
              ExcessEventLayout.VERSION.putByte(to, ipv6 ? 6 : 4);
              ExcessEventLayout.PROTOCOL.putByte(to, protocol);
              ExcessEventLayout.HAS_PROTOCOL.putByte(to, 1);
              ExcessEventLayout.HAS_PORTS.putByte(to, ports ? 1 : 0);
              ExcessEventLayout.OUTCOME.putByte(to, Objects.requireNonNull(OUTCOMES.get(outcome)));
            });

    Excess read = new ExcessReader(NOW, NANOS).read(event, Optional.of(owner(per)), "eth0");

    assertThat(read.time()).isBetween(NOW.minusNanos(age + 1_000), NOW.minusNanos(age));
    assertThat(read.direction()).isEqualTo(direction);
    assertThat(read.policy()).isEqualTo("web");
    assertThat(read.outcome()).isEqualTo(outcome);
    assertThat(InetAddress.getByName(read.source()))
        .isEqualTo(InetAddress.getByAddress(address(source, ipv6, false)));
    assertThat(InetAddress.getByName(read.destination()))
        .isEqualTo(InetAddress.getByAddress(address(destination, ipv6, false)));
    assertThat(read.protocol()).isNotNull();
    assertThat(read.sourcePort()).isEqualTo(ports ? Integer.valueOf(sourcePort) : null);
    assertThat(read.destinationPort()).isEqualTo(ports ? Integer.valueOf(destinationPort) : null);
    assertThat(read.length()).isEqualTo(bytes);
    assertThat(read.packets()).isEqualTo(3);
    assertThat(read.key()).isEqualTo(key(per, read, ipv6, sourcePort, destinationPort));
  }

  /** The key of a policy of these prefix lengths, made from the text of the addresses. */
  private static String key(
      BucketPer per, Excess read, boolean ipv6, int sourcePort, int destinationPort)
      throws UnknownHostException {
    String source = network(Objects.requireNonNull(read.source()), ipv6);
    String destination = network(Objects.requireNonNull(read.destination()), ipv6);
    return switch (per) {
      case Node, Interface -> "all";
      case SourceIP -> source;
      case DestinationIP -> destination;
      case SourceAndDestinationIP -> source + " > " + destination;
      case Flow ->
          (ipv6 ? "%s [%s]:%d > [%s]:%d" : "%s %s:%d > %s:%d")
              .formatted(
                  read.protocol(), read.source(), sourcePort, read.destination(), destinationPort);
    };
  }

  private static String network(String text, boolean ipv6) throws UnknownHostException {
    byte[] address = InetAddress.getByName(text).getAddress();
    int prefix = ipv6 ? IPV6_PREFIX : IPV4_PREFIX;
    Arrays.fill(address, prefix / Byte.SIZE, address.length, (byte) 0);
    return Addresses.text(address) + "/" + prefix;
  }

  /** An address as long as in the struct, or as long as the family's addresses. */
  private static byte[] address(byte[] random, boolean ipv6, boolean padded) {
    // An address that Java does not take for IPv4.
    byte[] address = Arrays.copyOf(random, ipv6 ? 16 : 4);
    if (ipv6) {
      address[0] = (byte) 0xfd;
    }
    return padded ? Arrays.copyOf(address, 16) : address;
  }

  private static byte[] port(int number) {
    return new byte[] {(byte) (number >> Byte.SIZE), (byte) number};
  }

  private static ByteBuffer event(Consumer<ByteBuffer> fill) {
    return ByteBuffer.wrap(ExcessEventLayout.STRUCT.encode(fill)).order(ByteOrder.nativeOrder());
  }

  @Example
  void whatThePacketDoesNotTellIsAbsent() {
    ByteBuffer event =
        event(
            to -> {
              ExcessEventLayout.VERSION.putByte(to, 1);
              ExcessEventLayout.SLOT.putInt(to, 12);
            });
    Excess unreadable =
        new ExcessReader(NOW, NANOS).read(event, Optional.of(owner(BucketPer.SourceIP)), "eth0");
    assertThat(unreadable.source()).isNull();
    assertThat(unreadable.protocol()).isNull();
    assertThat(unreadable.sourcePort()).isNull();
    assertThat(unreadable.key()).isEqualTo("unreadable");

    Excess ofNobody = new ExcessReader(NOW, NANOS).read(event, Optional.empty(), "eth0");
    assertThat(ofNobody.policy()).isEqualTo("slot 12");
    assertThat(ofNobody.key()).isEqualTo("unknown");
  }

  @Property
  void aSummaryLeavesNothingOut(
      @ForAll @LongRange(max = 1L << 40) long shown,
      @ForAll @LongRange(max = 1L << 40) long sampled,
      @ForAll @LongRange(max = 1L << 40) long overRate,
      @ForAll @LongRange(max = 1L << 40) long afterCount,
      @ForAll @LongRange(max = 1L << 40) long lost) {
    long seen = shown + sampled + overRate + afterCount + lost;
    ObservationSummary summary = ObservationSummary.of(seen, shown, sampled, overRate, lost);
    assertThat(summary.shown() + summary.suppressed() + summary.lost()).isEqualTo(seen);
    assertThat(summary.suppressedByCount()).isEqualTo(afterCount);
  }
}
