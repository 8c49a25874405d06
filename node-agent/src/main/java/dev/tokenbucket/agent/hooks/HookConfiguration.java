// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.hooks;

import dev.tokenbucket.agent.kernel.MapContents;
import dev.tokenbucket.agent.layout.HookConfigurationLayout;
import dev.tokenbucket.agent.layout.HookFeature;
import dev.tokenbucket.agent.layout.HookLimit;
import dev.tokenbucket.agent.layout.HookNeed;
import dev.tokenbucket.agent.layout.HookPolicyLayout;
import dev.tokenbucket.agent.layout.PolicyFlag;
import dev.tokenbucket.agent.match.FailsafePeers;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.agent.slots.HashKey;
import dev.tokenbucket.agent.slots.SlotIdentity.Role;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * The configuration that one hook's program is made for: {@code struct hook_configuration} of
 * hook.h, and the maps that belong to the program. Pure: equal sets give equal bytes, so a running
 * program's configuration can be compared with the wanted one.
 */
public final class HookConfiguration {
  /** Policies that one hook can hold. */
  public static final int MAX_POLICIES = HookLimit.MAX_HOOK_POLICIES;

  /** The section of the program that holds the configuration. */
  public static final String SECTION = ".rodata.hook";

  /** Size of the C structure, in bytes. */
  public static final int SIZE = HookConfigurationLayout.STRUCT.size();

  /** Number of fragmented datagrams whose ports a hook remembers at a time. */
  private static final int FRAGMENTED_DATAGRAMS = 4096;

  private static final int FRAGMENT_MEMORY_BYTES = 16;

  private final byte[] encoded;
  private final List<MapContents> maps;

  private HookConfiguration(byte[] encoded, List<MapContents> maps) {
    this.encoded = encoded;
    this.maps = List.copyOf(maps);
  }

  /**
   * A policy and its slots.
   *
   * @param markingSlot the slot of the second window, for marked packets; used only if the policy
   *     marks
   * @param parentSlot the slot of the parent bucket; used only if the policy has one
   */
  public record Placed(NodePolicy policy, int slot, int markingSlot, int parentSlot) {
    /** The slots that the policy uses, with their roles, its own first. */
    public Map<Integer, Role> slots() {
      Map<Integer, Role> slots = new LinkedHashMap<>();
      slots.put(slot, Role.OWN);
      if (policy.action() == ExceedAction.MarkECN) {
        slots.put(markingSlot, Role.MARK);
      }
      if (policy.parent() != null) {
        slots.put(parentSlot, Role.PARENT);
      }
      return slots;
    }
  }

  /**
   * The configuration of a hook with these policies.
   *
   * @param hashKey the same for all hooks
   * @param ethernet whether frames begin with an Ethernet header; otherwise they begin with the IP
   *     header
   * @param policies in the order in which they apply
   */
  public static HookConfiguration of(
      HashKey hashKey,
      Direction direction,
      boolean ethernet,
      List<Placed> policies,
      FailsafeSettings failsafes) {
    TermTables terms = TermTables.of(policies.stream().map(Placed::policy).toList());
    FailsafePeers peers = FailsafePeers.of(failsafes, direction);
    List<MapContents> maps = new ArrayList<>(terms.maps());
    maps.add(peers.map());
    int features = features(policies, terms, peers);
    maps.add(fragments(features));
    byte[] encoded =
        HookConfigurationLayout.STRUCT.encode(
            to -> {
              HookConfigurationLayout.EGRESS.putInt(to, direction == Direction.Egress ? 1 : 0);
              HookConfigurationLayout.POLICY_COUNT.putInt(to, policies.size());
              HookConfigurationLayout.FEATURES.putInt(to, features);
              HookConfigurationLayout.ETHERNET.putInt(to, ethernet ? 1 : 0);
              HookConfigurationLayout.TERM_WORDS.putInt(to, terms.words());
              HookConfigurationLayout.FAILSAFE_PORTS.put(to, peers.ports());
              HookConfigurationLayout.DIGEST.putLong(to, digest(maps));
              HookConfigurationLayout.UNCONDITIONAL.putLong(to, terms.unconditional());
              HookConfigurationLayout.FAILSAFE_POLICIES.putLong(to, failsafePolicies(policies));
              HookConfigurationLayout.MATCH_TERMS.put(to, terms.matchTerms());
              HookConfigurationLayout.EXEMPT_TERMS.put(to, terms.exemptTerms());
              HookConfigurationLayout.ANY_CONNECTION.put(to, terms.anyConnection());
              HookConfigurationLayout.TERM_POLICY.put(to, terms.policyOfTerm());
              HookConfigurationLayout.HASH_KEY.put(to, hashKey.encode());
              ByteBuffer each = HookConfigurationLayout.POLICY.in(to);
              for (int i = 0; i < policies.size(); i++) {
                put(HookPolicyLayout.STRUCT.at(each, i), policies.get(i));
              }
            });
    return new HookConfiguration(encoded, maps);
  }

  /** The memory for fragmented datagrams (fragments.h); of minimal size if no feature needs it. */
  private static MapContents fragments(int features) {
    int datagrams = (features & HookNeed.HOOK_REMEMBERS_FIRST) != 0 ? FRAGMENTED_DATAGRAMS : 1;
    return new MapContents("fragments", datagrams, FRAGMENT_MEMORY_BYTES, List.of());
  }

  private static int features(List<Placed> policies, TermTables terms, FailsafePeers peers) {
    int features = terms.features();
    for (Placed each : policies) {
      features |= flags(each.policy());
    }
    if (failsafePolicies(policies) != 0) {
      features |= HookFeature.HOOK_FAILSAFE;
      features |= peers.isEmpty() ? 0 : HookFeature.HOOK_FAILSAFE_PEERS;
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
    flags |= policy.unit() == RateUnit.Bits ? PolicyFlag.POLICY_BYTES : 0;
    flags |= policy.mode() == Mode.Audit ? PolicyFlag.POLICY_AUDIT : 0;
    flags |=
        policy.per().isTabled() && policy.onFull() == OnFull.EvictOldest
            ? PolicyFlag.POLICY_EVICTS
            : 0;
    flags |= policy.action() == ExceedAction.MarkECN ? PolicyFlag.POLICY_MARKS_ECN : 0;
    flags |= policy.action() == ExceedAction.SetDSCP ? PolicyFlag.POLICY_SETS_DSCP : 0;
    flags |= policy.parent() != null ? PolicyFlag.POLICY_HAS_PARENT : 0;
    return flags;
  }

  private static int key(BucketPer per) {
    return switch (per) {
      case Node, Interface -> 0;
      case SourceIP -> PolicyFlag.POLICY_PER_SOURCE;
      case DestinationIP -> PolicyFlag.POLICY_PER_DESTINATION;
      case SourceAndDestinationIP -> PolicyFlag.POLICY_PER_PAIR;
      case Flow -> PolicyFlag.POLICY_PER_FLOW;
    };
  }

  private static void put(ByteBuffer to, Placed placed) {
    NodePolicy policy = placed.policy();
    HookPolicyLayout.SLOT.putInt(to, placed.slot());
    HookPolicyLayout.FLAGS.putInt(to, flags(policy));
    HookPolicyLayout.IPV4_MASK.put(to, mask(policy.ipv4PrefixLength(), 4));
    HookPolicyLayout.IPV6_MASK.put(to, mask(policy.ipv6PrefixLength(), 16));
    HookPolicyLayout.MARKING_SLOT.putShort(to, placed.markingSlot());
    HookPolicyLayout.PARENT_SLOT.putShort(to, placed.parentSlot());
    HookPolicyLayout.DSCP.putByte(to, Objects.requireNonNullElse(policy.dscp(), 0));
  }

  /** A mask with the given number of leading bits set, in network order. */
  private static byte[] mask(int bits, int bytes) {
    byte[] mask = new byte[bytes];
    Arrays.fill(mask, 0, bits / 8, (byte) 0xff);
    if (bits % 8 != 0) {
      mask[bits / 8] = (byte) (0xff << (8 - bits % 8));
    }
    return mask;
  }

  /**
   * A digest of the maps' contents, so that programs can be compared without reading their maps.
   */
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

  /** The program's read-only data. */
  public byte[] encode() {
    return encoded.clone();
  }

  /** The maps that belong to the program. */
  public List<MapContents> maps() {
    return maps;
  }

  /** Whether a running program was made for this configuration. */
  public boolean isOf(Running running) {
    return ByteBuffer.wrap(encoded).equals(running.encoded());
  }

  /**
   * The configuration that a running program reports.
   *
   * @param encoded the program's read-only data
   * @param failsafes whether any policy of the program lets failsafe traffic pass
   */
  public record Running(
      ByteBuffer encoded, Direction direction, boolean failsafes, List<Entry> policies) {
    static Running decode(byte[] bytes) {
      ByteBuffer from = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
      boolean egress = HookConfigurationLayout.EGRESS.getInt(from) != 0;
      int count = Math.min(HookConfigurationLayout.POLICY_COUNT.getInt(from), MAX_POLICIES);
      ByteBuffer policies = HookConfigurationLayout.POLICY.in(from);
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        ByteBuffer policy = HookPolicyLayout.STRUCT.at(policies, i);
        entries.add(
            new Entry(
                HookPolicyLayout.SLOT.getInt(policy),
                HookPolicyLayout.FLAGS.getInt(policy),
                Short.toUnsignedInt(HookPolicyLayout.PARENT_SLOT.in(policy).getShort(0))));
      }
      return new Running(
          ByteBuffer.wrap(bytes).asReadOnlyBuffer(),
          egress ? Direction.Egress : Direction.Ingress,
          HookConfigurationLayout.FAILSAFE_POLICIES.getLong(from) != 0,
          List.copyOf(entries));
    }
  }

  /**
   * A policy of a running program.
   *
   * @param flags the flags that the program applies to the policy
   * @param parent the parent bucket's slot, if the flags say that there is one
   */
  public record Entry(int slot, int flags, int parent) {
    public OptionalInt parentSlot() {
      return (flags & PolicyFlag.POLICY_HAS_PARENT) != 0
          ? OptionalInt.of(parent)
          : OptionalInt.empty();
    }

    public Mode mode() {
      return (flags & PolicyFlag.POLICY_AUDIT) != 0 ? Mode.Audit : Mode.Enforce;
    }

    public ExceedAction action() {
      if ((flags & PolicyFlag.POLICY_MARKS_ECN) != 0) {
        return ExceedAction.MarkECN;
      }
      return (flags & PolicyFlag.POLICY_SETS_DSCP) != 0 ? ExceedAction.SetDSCP : ExceedAction.Drop;
    }
  }
}
