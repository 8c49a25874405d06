package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Whose buckets a slot holds, kept in a pinned map beside them. A policy whose unit, {@code per},
 * prefix length or capacity changes gets another slot: its buckets mean something else, so they
 * start full.
 *
 * @param ifindex the interface, where each has a bucket of its own; else 0
 */
record SlotIdentity(
    String name,
    String uid,
    RateUnit unit,
    BucketPer per,
    int capacity,
    int ipv4PrefixLength,
    int ipv6PrefixLength,
    int ifindex) {
  static final int SIZE = 384;
  private static final int NAME = 256;
  private static final int UID = 64;
  private static final int PER = 16;

  /**
   * @param ifindex the interface that the bucket is of; meant for policies per interface alone
   */
  static SlotIdentity of(NodePolicy policy, int ifindex) {
    BucketPer per = policy.per();
    return new SlotIdentity(
        policy.name(),
        policy.uid(),
        policy.unit(),
        per,
        per.isTabled() ? policy.capacity() : 1,
        per.hasAddressKey() ? policy.ipv4PrefixLength() : 0,
        per.hasAddressKey() ? policy.ipv6PrefixLength() : 0,
        per == BucketPer.Interface ? ifindex : 0);
  }

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    to.put(Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), NAME));
    to.put(Arrays.copyOf(uid.getBytes(StandardCharsets.UTF_8), UID));
    to.put(Arrays.copyOf(per.name().getBytes(StandardCharsets.UTF_8), PER));
    to.putInt(number(unit));
    to.putInt(capacity).putInt(ipv4PrefixLength).putInt(ipv6PrefixLength).putInt(ifindex);
    return to.array();
  }

  /** Empty for a free slot. */
  static Optional<SlotIdentity> decode(byte[] bytes) {
    if (bytes[0] == 0) {
      return Optional.empty();
    }
    ByteBuffer numbers =
        ByteBuffer.wrap(bytes, NAME + UID + PER, 20).order(ByteOrder.nativeOrder());
    return Optional.of(
        new SlotIdentity(
            text(bytes, 0, NAME),
            text(bytes, NAME, UID),
            unit(numbers.getInt()),
            BucketPer.valueOf(text(bytes, NAME + UID, PER)),
            numbers.getInt(),
            numbers.getInt(),
            numbers.getInt(),
            numbers.getInt()));
  }

  private static int number(RateUnit unit) {
    return switch (unit) {
      case Packets -> 0;
      case Bits -> 1;
      case Connections -> 2;
    };
  }

  private static RateUnit unit(int number) {
    return switch (number) {
      case 1 -> RateUnit.Bits;
      case 2 -> RateUnit.Connections;
      default -> RateUnit.Packets;
    };
  }

  private static String text(byte[] bytes, int offset, int length) {
    int end = offset;
    while (end < offset + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, offset, end - offset, StandardCharsets.UTF_8);
  }
}
