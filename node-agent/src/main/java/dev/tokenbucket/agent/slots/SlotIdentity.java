// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenLimit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
 * @param role what the policy has the slot for
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
    Role role) {
  static final int SIZE = 376;
  private static final int NAME = 256;
  private static final int UID = 64;

  /**
   * Bytes kept of each word. The longest words are longer; only this many leading bytes are stored.
   */
  private static final int WORD = 12;

  private static final int TEXTS = NAME + UID + 3 * WORD;
  private static final int NUMBERS = 5 * Integer.BYTES;

  /** What a policy has a slot for. */
  public enum Role {
    /** The buckets that judge its packets. */
    OWN("CONFORM"),
    /** With MarkECN: the buckets that limit the packets marked with CE. */
    MARK("MARK"),
    /** With bucket.parent: the bucket that all of its own buckets share. */
    PARENT("PARENT");

    /** The word in the pinned map; an agent of another version reads it too. */
    private final String stored;

    Role(String stored) {
      this.stored = stored;
    }

    private static Role of(String stored) {
      return Arrays.stream(values())
          .filter(each -> each.stored.equals(stored))
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("a slot says \"" + stored + "\""));
    }
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
        Role.OWN);
  }

  /** All identities that a policy needs on an interface, that of its own slot first. */
  public static List<SlotIdentity> all(NodePolicy policy, int ifindex) {
    SlotIdentity own = of(policy, ifindex);
    List<SlotIdentity> all = new ArrayList<>(List.of(own));
    if (policy.action() == ExceedAction.MarkECN) {
      all.add(own.as(Role.MARK));
    }
    if (policy.parent() != null) {
      all.add(own.as(Role.PARENT));
    }
    return List.copyOf(all);
  }

  /** The identity of the same policy's slot for another role. */
  public SlotIdentity as(Role other) {
    return other == Role.PARENT
        ? new SlotIdentity(name, uid, unit, BucketPer.Node, 1, false, 0, 0, 0, other)
        : new SlotIdentity(
            name,
            uid,
            unit,
            per,
            capacity,
            evicts,
            ipv4PrefixLength,
            ipv6PrefixLength,
            ifindex,
            other);
  }

  /** The limit that the policy, which this slot belongs to, has for the slot. */
  public TokenLimit limit(NodePolicy policy) {
    return role == Role.PARENT ? policy.parentLimit().orElseThrow() : policy.limit();
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
    put(to, role.stored, WORD);
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
            Role.of(text(bytes, NAME + UID + 2 * WORD, WORD))));
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
