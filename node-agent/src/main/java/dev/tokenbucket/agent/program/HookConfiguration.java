package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A hook's policy set as its program has it: {@code struct hook_configuration} of policy.h.
 *
 * @param ethernet frames begin with an Ethernet header, else with the IP header
 */
public record HookConfiguration(Direction direction, boolean ethernet, List<Entry> policies) {
  private static final int ENTRY_SIZE = 32;
  private static final int HEADER_SIZE = 16;

  /** Policies that one hook can hold. */
  public static final int MAX_POLICIES = 64;

  /** Bytes of the C structure. */
  public static final int SIZE = HEADER_SIZE + MAX_POLICIES * ENTRY_SIZE;

  static final int PER_SOURCE = 1;
  static final int BYTES = 1 << 1;
  static final int AUDIT = 1 << 2;
  static final int PER_DESTINATION = 1 << 3;
  static final int PER_FLOW = 1 << 4;

  /** A policy by its slot, what the program does for it, and how wide an address key is. */
  public record Entry(int slot, int flags, int ipv4PrefixLength, int ipv6PrefixLength) {
    static Entry of(int slot, NodePolicy policy) {
      int flags =
          key(policy.per())
              | (policy.unit() == RateUnit.Bits ? BYTES : 0)
              | (policy.mode() == Mode.Audit ? AUDIT : 0);
      return new Entry(slot, flags, policy.ipv4PrefixLength(), policy.ipv6PrefixLength());
    }

    private static int key(BucketPer per) {
      return switch (per) {
        case Node, Interface -> 0;
        case SourceIP -> PER_SOURCE;
        case DestinationIP -> PER_DESTINATION;
        case Flow -> PER_FLOW;
      };
    }
  }

  byte[] encode() {
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    int features = policies.stream().mapToInt(Entry::flags).reduce(0, (a, b) -> a | b);
    to.putInt(direction == Direction.Egress ? 1 : 0)
        .putInt(policies.size())
        .putInt(features)
        .putInt(ethernet ? 1 : 0);
    for (Entry policy : policies) {
      to.putInt(policy.slot()).putInt(policy.flags());
      to.put(mask(policy.ipv4PrefixLength(), 4)).put(mask(policy.ipv6PrefixLength(), 16)).putInt(0);
    }
    return to.array();
  }

  /** So many leading bits set, in network order. */
  private static byte[] mask(int bits, int bytes) {
    byte[] mask = new byte[bytes];
    Arrays.fill(mask, 0, bits / 8, (byte) 0xff);
    if (bits % 8 != 0) {
      mask[bits / 8] = (byte) (0xff << (8 - bits % 8));
    }
    return mask;
  }

  static HookConfiguration decode(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    Direction direction = from.getInt() == 0 ? Direction.Ingress : Direction.Egress;
    int count = Math.min(from.getInt(), MAX_POLICIES);
    boolean ethernet = from.getInt(12) != 0;
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int at = HEADER_SIZE + i * ENTRY_SIZE;
      int ipv6 = Long.bitCount(from.getLong(at + 12)) + Long.bitCount(from.getLong(at + 20));
      entries.add(
          new Entry(
              from.getInt(at), from.getInt(at + 4), Integer.bitCount(from.getInt(at + 8)), ipv6));
    }
    return new HookConfiguration(direction, ethernet, List.copyOf(entries));
  }
}
