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
 * Whose buckets a slot holds, kept in a pinned map beside them. A policy whose unit, {@code per} or
 * capacity changes gets another slot: its buckets mean something else, so they start full.
 */
record SlotIdentity(String name, String uid, RateUnit unit, BucketPer per, int capacity) {
  static final int SIZE = 384;
  private static final int NAME = 256;
  private static final int UID = 64;

  static SlotIdentity of(NodePolicy policy) {
    int capacity = policy.per() == BucketPer.Node ? 1 : policy.capacity();
    return new SlotIdentity(policy.name(), policy.uid(), policy.unit(), policy.per(), capacity);
  }

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    to.put(Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), NAME));
    to.put(Arrays.copyOf(uid.getBytes(StandardCharsets.UTF_8), UID));
    to.putInt(unit == RateUnit.Bits ? 1 : 0);
    to.putInt(per == BucketPer.SourceIP ? 1 : 0);
    to.putInt(capacity);
    return to.array();
  }

  /** Empty for a free slot. */
  static Optional<SlotIdentity> decode(byte[] bytes) {
    if (bytes[0] == 0) {
      return Optional.empty();
    }
    ByteBuffer numbers = ByteBuffer.wrap(bytes, NAME + UID, 12).order(ByteOrder.nativeOrder());
    return Optional.of(
        new SlotIdentity(
            text(bytes, 0, NAME),
            text(bytes, NAME, UID),
            numbers.getInt() == 1 ? RateUnit.Bits : RateUnit.Packets,
            numbers.getInt() == 1 ? BucketPer.SourceIP : BucketPer.Node,
            numbers.getInt()));
  }

  private static String text(byte[] bytes, int offset, int length) {
    int end = offset;
    while (end < offset + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, offset, end - offset, StandardCharsets.UTF_8);
  }
}
