package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.match.FailsafePeers;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What one hook's program is made for: {@code struct hook_configuration} of hook.h, and the maps
 * that belong to the program. Pure: equal sets give equal bytes, so what runs can be compared.
 */
public final class HookConfiguration {
  /** Policies that one hook can hold. */
  public static final int MAX_POLICIES = 64;

  private static final int ENTRY_SIZE = 32;
  private static final int FAILSAFE_POLICIES_AT = 56;
  private static final int POLICIES_AT = 64 + 3 * TermTables.MAX_TERMS / 8 + TermTables.MAX_TERMS;

  /** Bytes of the C structure. */
  public static final int SIZE = POLICIES_AT + MAX_POLICIES * ENTRY_SIZE;

  static final int PER_SOURCE = 1;
  static final int BYTES = 1 << 1;
  static final int AUDIT = 1 << 2;
  static final int PER_DESTINATION = 1 << 3;
  static final int PER_FLOW = 1 << 4;
  static final int EVICTS = 1 << 5;
  static final int MARKS_ECN = 1 << 6;
  static final int SETS_DSCP = 1 << 7;
  private static final int FAILSAFE = 1 << 22;
  private static final int FAILSAFE_PEERS = 1 << 23;

  private final byte[] encoded;
  private final List<MapContents> maps;

  private HookConfiguration(byte[] encoded, List<MapContents> maps) {
    this.encoded = encoded;
    this.maps = List.copyOf(maps);
  }

  /**
   * A policy and the slots of its windows.
   *
   * @param markingSlot of the window of marked packets; meant where the policy marks
   */
  public record Placed(NodePolicy policy, int slot, int markingSlot) {}

  /**
   * What a hook with these policies needs.
   *
   * @param ethernet frames begin with an Ethernet header, else with the IP header
   * @param policies in the order in which they apply
   */
  public static HookConfiguration of(
      Direction direction, boolean ethernet, List<Placed> policies, FailsafeSettings failsafes) {
    TermTables terms = TermTables.of(policies.stream().map(Placed::policy).toList());
    FailsafePeers peers = FailsafePeers.of(failsafes, direction);
    List<MapContents> maps = new ArrayList<>(terms.maps());
    maps.add(peers.map());
    ByteBuffer to = ByteBuffer.allocate(SIZE).order(ByteOrder.nativeOrder());
    to.putInt(direction == Direction.Egress ? 1 : 0).putInt(policies.size());
    to.putInt(features(policies, terms, peers)).putInt(ethernet ? 1 : 0).putInt(terms.words());
    to.put(peers.ports()).putInt(0).putLong(digest(maps));
    to.putLong(terms.unconditional()).putLong(failsafePolicies(policies));
    to.put(terms.termSets()).put(terms.policyOfTerm());
    policies.forEach(each -> put(to, each));
    return new HookConfiguration(to.array(), maps);
  }

  private static int features(List<Placed> policies, TermTables terms, FailsafePeers peers) {
    int features = terms.features();
    for (Placed each : policies) {
      features |= flags(each.policy());
    }
    if (failsafePolicies(policies) != 0) {
      features |= FAILSAFE | (peers.isEmpty() ? 0 : FAILSAFE_PEERS);
    }
    return features;
  }

  private static long failsafePolicies(List<Placed> policies) {
    long enabled = 0;
    for (int i = 0; i < policies.size(); i++) {
      enabled |= policies.get(i).policy().failsafe() == Failsafe.Enabled ? 1L << i : 0;
    }
    return enabled;
  }

  private static int flags(NodePolicy policy) {
    int flags = key(policy.per());
    flags |= policy.unit() == RateUnit.Bits ? BYTES : 0;
    flags |= policy.mode() == Mode.Audit ? AUDIT : 0;
    flags |= policy.per().isTabled() && policy.onFull() == OnFull.EvictOldest ? EVICTS : 0;
    flags |= policy.action() == ExceedAction.MarkECN ? MARKS_ECN : 0;
    flags |= policy.action() == ExceedAction.SetDSCP ? SETS_DSCP : 0;
    return flags;
  }

  private static int key(BucketPer per) {
    return switch (per) {
      case Node, Interface -> 0;
      case SourceIP -> PER_SOURCE;
      case DestinationIP -> PER_DESTINATION;
      case Flow -> PER_FLOW;
    };
  }

  private static void put(ByteBuffer to, Placed placed) {
    NodePolicy policy = placed.policy();
    to.putInt(placed.slot()).putInt(flags(policy));
    to.put(mask(policy.ipv4PrefixLength(), 4)).put(mask(policy.ipv6PrefixLength(), 16));
    to.putShort((short) placed.markingSlot());
    to.put(Objects.requireNonNullElse(policy.dscp(), 0).byteValue()).put((byte) 0);
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

  /** Of what the program's maps hold, so that programs can be told apart without reading maps. */
  private static long digest(List<MapContents> maps) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (MapContents map : maps) {
        long sum = 0;
        // Elements have no order, so their own digests are added.
        for (MapContents.Element element : map.elements()) {
          digest.update(element.key().duplicate());
          digest.update(element.value().duplicate());
          sum += ByteBuffer.wrap(digest.digest()).getLong();
        }
        digest.update(ByteBuffer.allocate(16).putLong(sum).putInt(map.entries()).array());
      }
      return ByteBuffer.wrap(digest.digest()).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the program's read-only data is. */
  public byte[] encode() {
    return encoded.clone();
  }

  /** The maps that belong to the program. */
  public List<MapContents> maps() {
    return maps;
  }

  /** Whether a running program was made for the same. */
  boolean isOf(Running running) {
    return ByteBuffer.wrap(encoded).equals(running.encoded());
  }

  /**
   * What a running program says of itself.
   *
   * @param encoded its read-only data
   * @param failsafes whether any of its policies lets failsafe traffic pass
   */
  record Running(ByteBuffer encoded, Direction direction, boolean failsafes, List<Entry> policies) {
    static Running decode(byte[] bytes) {
      ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
      Direction direction = from.getInt() == 0 ? Direction.Ingress : Direction.Egress;
      int count = Math.min(from.getInt(), MAX_POLICIES);
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int at = POLICIES_AT + i * ENTRY_SIZE;
        entries.add(new Entry(from.getInt(at), from.getInt(at + 4)));
      }
      return new Running(
          ByteBuffer.wrap(bytes).asReadOnlyBuffer(),
          direction,
          from.getLong(FAILSAFE_POLICIES_AT) != 0,
          List.copyOf(entries));
    }
  }

  /** A policy of a running program: its slot, and what the program does for it. */
  record Entry(int slot, int flags) {
    Mode mode() {
      return (flags & AUDIT) != 0 ? Mode.Audit : Mode.Enforce;
    }

    ExceedAction action() {
      if ((flags & MARKS_ECN) != 0) {
        return ExceedAction.MarkECN;
      }
      return (flags & SETS_DSCP) != 0 ? ExceedAction.SetDSCP : ExceedAction.Drop;
    }
  }
}
