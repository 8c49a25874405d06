// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The owner of the buckets in a slot, kept in a pinned map beside the buckets. A policy whose unit,
 * {@code per}, prefix length, capacity or {@code onFull} changes gets another slot: its buckets
 * mean something else, so they start full.
 *
 * @param evicts whether the kernel itself makes room in the table
 * @param ifindex the interface if each interface has its own bucket; otherwise 0
 * @param window which of the policy's windows: its own, or the one for the packets that it marks
 */
public record SlotIdentity(
    String name,
    String uid,
    RateUnit unit,
    BucketPer per,
    int capacity,
    boolean evicts,
    int ipv4PrefixLength,
    int ipv6PrefixLength,
    int ifindex,
    Window window) {
  static final int SIZE = 376;
  private static final int NAME = 256;
  private static final int UID = 64;

  /**
   * Bytes kept of each word. The longest words are longer; only this many leading bytes are stored.
   */
  private static final int WORD = 12;

  private static final int TEXTS = NAME + UID + 3 * WORD;
  private static final int NUMBERS = 5 * Integer.BYTES;

  /** A policy that marks packets with CE also limits the marked packets, with a second window. */
  public enum Window {
    CONFORM,
    MARK
  }

  /**
   * The identity of a policy's own slot.
   *
   * @param ifindex the interface that the bucket belongs to; used only for policies per interface
   */
  public static SlotIdentity of(NodePolicy policy, int ifindex) {
    BucketPer per = policy.per();
    return new SlotIdentity(
        policy.name(),
        policy.uid(),
        policy.unit(),
        per,
        per.isTabled() ? policy.capacity() : 1,
        per.isTabled() && policy.onFull() == OnFull.EvictOldest,
        per.hasWidenedKey() ? policy.ipv4PrefixLength() : 0,
        per.hasWidenedKey() ? policy.ipv6PrefixLength() : 0,
        per == BucketPer.Interface ? ifindex : 0,
        Window.CONFORM);
  }

  /** All identities that a policy needs on an interface, its own window first. */
  public static List<SlotIdentity> all(NodePolicy policy, int ifindex) {
    SlotIdentity own = of(policy, ifindex);
    return policy.action() == ExceedAction.MarkECN
        ? List.of(own, own.ofWindow(Window.MARK))
        : List.of(own);
  }

  public SlotIdentity ofWindow(Window other) {
    return new SlotIdentity(
        name, uid, unit, per, capacity, evicts, ipv4PrefixLength, ipv6PrefixLength, ifindex, other);
  }

  /** Whether the buckets are in a table from which {@link Sweeper} removes idle ones. */
  public boolean isSwept() {
    return per.isTabled() && !evicts;
  }

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    put(to, name, NAME);
    put(to, uid, UID);
    put(to, unit.name(), WORD);
    put(to, per.name(), WORD);
    put(to, window.name(), WORD);
    to.putInt(capacity).putInt(evicts ? 1 : 0);
    to.putInt(ipv4PrefixLength).putInt(ipv6PrefixLength).putInt(ifindex);
    return to.array();
  }

  /** Decodes an identity; empty for a free slot. */
  static Optional<SlotIdentity> decode(byte[] bytes) {
    if (bytes[0] == 0) {
      return Optional.empty();
    }
    ByteBuffer numbers = ByteBuffer.wrap(bytes, TEXTS, NUMBERS).order(ByteOrder.nativeOrder());
    return Optional.of(
        new SlotIdentity(
            text(bytes, 0, NAME),
            text(bytes, NAME, UID),
            word(RateUnit.class, bytes, NAME + UID),
            word(BucketPer.class, bytes, NAME + UID + WORD),
            numbers.getInt(),
            numbers.getInt() != 0,
            numbers.getInt(),
            numbers.getInt(),
            numbers.getInt(),
            word(Window.class, bytes, NAME + UID + 2 * WORD)));
  }

  private static void put(ByteBuffer to, String text, int length) {
    to.put(Arrays.copyOf(text.getBytes(StandardCharsets.UTF_8), length));
  }

  private static <E extends Enum<E>> E word(Class<E> type, byte[] bytes, int offset) {
    String kept = text(bytes, offset, WORD);
    return Arrays.stream(type.getEnumConstants())
        .filter(each -> kept.equals(each.name().substring(0, Math.min(WORD, each.name().length()))))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("a slot says \"" + kept + "\""));
  }

  private static String text(byte[] bytes, int offset, int length) {
    int end = offset;
    while (end < offset + length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, offset, end - offset, StandardCharsets.UTF_8);
  }
}
