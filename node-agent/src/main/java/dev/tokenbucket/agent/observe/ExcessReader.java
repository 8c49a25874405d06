// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.observe;

import dev.tokenbucket.agent.layout.ExcessEventLayout;
import dev.tokenbucket.agent.layout.Field;
import dev.tokenbucket.agent.layout.PolicyExcess;
import dev.tokenbucket.agent.observe.Excess.Outcome;
import dev.tokenbucket.agent.simulate.Addresses;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code struct excess_event} of observe.h. Pure.
 *
 * @param now a moment
 * @param nanos the same moment on CLOCK_MONOTONIC
 */
record ExcessReader(Instant now, long nanos) {
  private static final int IPV4 = 4;
  private static final int IPV6 = 6;
  private static final int IPV4_BYTES = 4;
  private static final int IPV6_BYTES = 16;

  static int slot(ByteBuffer event) {
    return ExcessEventLayout.SLOT.getInt(event);
  }

  static int ifindex(ByteBuffer event) {
    return ExcessEventLayout.IFINDEX.getInt(event);
  }

  /**
   * The packet of an event.
   *
   * @param of the owner of the event's slot; empty if the slot has been freed meanwhile
   */
  Excess read(ByteBuffer event, Optional<SlotIdentity> of, String interfaceName) {
    boolean hasPorts = flag(event, ExcessEventLayout.HAS_PORTS);
    boolean hasProtocol = flag(event, ExcessEventLayout.HAS_PROTOCOL);
    return new Excess(
        now.minusNanos(nanos - ExcessEventLayout.TIME.getLong(event))
            .truncatedTo(ChronoUnit.MICROS),
        interfaceName,
        ExcessEventLayout.EGRESS.getInt(event) != 0 ? Direction.Egress : Direction.Ingress,
        of.map(SlotIdentity::name).orElse("slot " + slot(event)),
        outcome(event),
        of.map(identity -> key(event, identity)).orElse("unknown"),
        address(event, ExcessEventLayout.SOURCE),
        address(event, ExcessEventLayout.DESTINATION),
        hasProtocol ? IpProtocol.name(octet(event, ExcessEventLayout.PROTOCOL)) : null,
        hasPorts ? port(event, ExcessEventLayout.SOURCE_PORT) : null,
        hasPorts ? port(event, ExcessEventLayout.DESTINATION_PORT) : null,
        ExcessEventLayout.BYTES.getLong(event),
        Integer.toUnsignedLong(ExcessEventLayout.SEGMENTS.getInt(event)));
  }

  private static String key(ByteBuffer event, SlotIdentity identity) {
    BucketKey.Making making = BucketKey.Making.of(identity);
    return BucketKey.of(making, ExcessEventLayout.STRUCT, event).text(making);
  }

  private static Outcome outcome(ByteBuffer event) {
    return switch (octet(event, ExcessEventLayout.OUTCOME)) {
      case PolicyExcess.POLICY_AUDITED -> Outcome.Audited;
      case PolicyExcess.POLICY_MARKED -> Outcome.Marked;
      default -> Outcome.Refused;
    };
  }

  private static boolean flag(ByteBuffer event, Field field) {
    return event.get(field.offset()) != 0;
  }

  private static int octet(ByteBuffer event, Field field) {
    return Byte.toUnsignedInt(event.get(field.offset()));
  }

  /** An address, in network order; null if the frame could not be read. */
  private static @Nullable String address(ByteBuffer event, Field field) {
    int version = octet(event, ExcessEventLayout.VERSION);
    if (version != IPV4 && version != IPV6) {
      return null;
    }
    byte[] address = new byte[version == IPV4 ? IPV4_BYTES : IPV6_BYTES];
    event.get(field.offset(), address);
    return Addresses.text(address);
  }

  /** A port, in network order. */
  private static int port(ByteBuffer event, Field field) {
    int at = field.offset();
    return Byte.toUnsignedInt(event.get(at)) << Byte.SIZE | Byte.toUnsignedInt(event.get(at + 1));
  }
}
