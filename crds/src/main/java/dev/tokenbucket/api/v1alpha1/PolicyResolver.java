// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Resolves a user's spec to a node's entry: defaults filled in, quantities as whole numbers. Pure.
 * The CRD's schema and rules decide what is valid, and have already judged the policy.
 */
public final class PolicyResolver {
  private static final long MAX_BURST = 1L << 40;
  private static final long FULL_FRAME = 1514;
  private static final int DEFAULT_PRIORITY = 500;
  private static final int DEFAULT_CAPACITY = 65_536;
  private static final int DEFAULT_IPV4_PREFIX = 32;
  private static final int DEFAULT_IPV6_PREFIX = 64;
  private static final List<InterfaceSelector> DEFAULT_INTERFACES =
      List.of(InterfaceSelector.DEFAULT_ROUTE);

  private PolicyResolver() {}

  /** A policy that can't be resolved, and that the CRD's rules would have refused. */
  public static final class InvalidPolicyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    InvalidPolicyException(String message) {
      super(message);
    }
  }

  /**
   * Resolves a policy.
   *
   * @throws InvalidPolicyException if the spec is one that the CRD refuses
   */
  public static NodePolicy resolve(
      String name, String uid, long generation, @Nullable TokenBucketPolicySpec spec) {
    if (spec == null) {
      throw new InvalidPolicyException("spec: Required value");
    }
    TokenLimit limit = limit("spec", spec.rate(), spec.burst());
    TokenRate rate = limit.rate();
    RateUnit unit = rate.unit();
    Bucket bucket = spec.bucket() == null ? Bucket.DEFAULT : spec.bucket();
    ExceedAction action = action(spec.exceed());
    return new NodePolicy(
        name,
        uid,
        generation,
        spec.interfaces() == null ? DEFAULT_INTERFACES : List.copyOf(spec.interfaces()),
        spec.direction() == null ? Direction.Ingress : spec.direction(),
        spec.hook(),
        spec.priority() == null ? DEFAULT_PRIORITY : spec.priority(),
        MatchResolver.match(spec.match(), unit),
        MatchResolver.exempt(spec.exempt()),
        spec.failsafe() == null ? Failsafe.Enabled : spec.failsafe(),
        bucket.per() == null ? BucketPer.Node : bucket.per(),
        bucket.capacity() == null ? DEFAULT_CAPACITY : bucket.capacity(),
        bucket.onFull() == null ? OnFull.ShareBucket : bucket.onFull(),
        bucket.ipv4PrefixLength() == null ? DEFAULT_IPV4_PREFIX : bucket.ipv4PrefixLength(),
        bucket.ipv6PrefixLength() == null ? DEFAULT_IPV6_PREFIX : bucket.ipv6PrefixLength(),
        unit,
        rate.amount(),
        rate.periodUnlessSecond(),
        limit.burst(),
        parent(bucket.parent()),
        action,
        dscp(spec.exceed(), action),
        spec.mode() == null ? Mode.Enforce : spec.mode());
  }

  /**
   * The tokens that a rate grants in 100 ms: at least ten packets (full ones) or connections, at
   * most 2^40. A rate per minute or hour that grants less than ten in its period has what the
   * period grants, and at least one: with ten, six per minute would let sixteen through in the
   * first minute.
   */
  static long defaultBurst(TokenRate rate) {
    boolean bits = rate.unit() == RateUnit.Bits;
    long one = bits ? FULL_FRAME : 1;
    long least = 10 * one;
    if (rate.period() != RatePeriod.Second) {
      long period = bits ? ceilDiv(rate.amount(), Byte.SIZE) : rate.amount();
      least = Math.max(one, Math.min(least, period));
    }
    long perToken = (bits ? 10L * Byte.SIZE : 10) * rate.period().seconds();
    return Math.min(MAX_BURST, Math.max(least, ceilDiv(rate.amount(), perToken)));
  }

  private static long ceilDiv(long amount, long parts) {
    return (amount + parts - 1) / parts;
  }

  private static @Nullable NodeParentBucket parent(@Nullable ParentBucket parent) {
    if (parent == null) {
      return null;
    }
    TokenLimit limit = limit("spec.bucket.parent", parent.rate(), parent.burst());
    return new NodeParentBucket(
        limit.rate().amount(), limit.rate().periodUnlessSecond(), limit.burst());
  }

  /**
   * A bucket's limit, its rate per the shortest period. The default of the burst goes by the period
   * that the user wrote.
   *
   * @param field the path of the fields that hold rate and burst
   */
  private static TokenLimit limit(String field, @Nullable Rate rate, @Nullable Burst burst) {
    TokenRate asked = rate(field + ".rate", rate);
    return new TokenLimit(asked.reduced(), burst(field + ".burst", burst, asked));
  }

  private static TokenRate rate(String field, @Nullable Rate rate) {
    if (rate == null) {
      throw new InvalidPolicyException(field + ": Required value");
    }
    if (rate.packetsPerSecond() != null) {
      return perSecond(RateUnit.Packets, field + ".packetsPerSecond", rate.packetsPerSecond());
    }
    if (rate.bitsPerSecond() != null) {
      return perSecond(RateUnit.Bits, field + ".bitsPerSecond", rate.bitsPerSecond());
    }
    if (rate.connectionsPerSecond() != null) {
      return perSecond(
          RateUnit.Connections, field + ".connectionsPerSecond", rate.connectionsPerSecond());
    }
    if (rate.percentOfLinkSpeed() != null) {
      return TokenRate.perSecond(RateUnit.PercentOfLinkSpeed, rate.percentOfLinkSpeed());
    }
    if (rate.packets() != null) {
      return TokenRate.of(RateUnit.Packets, whole(field + ".packets", rate.packets()), rate.per());
    }
    return rate.connections() != null
        ? TokenRate.of(
            RateUnit.Connections, whole(field + ".connections", rate.connections()), rate.per())
        : TokenRate.of(RateUnit.Bits, whole(field + ".bits", rate.bits()), rate.per());
  }

  private static TokenRate perSecond(RateUnit unit, String field, Quantity amount) {
    return TokenRate.perSecond(unit, whole(field, amount));
  }

  private static long burst(String field, @Nullable Burst burst, TokenRate rate) {
    if (burst == null) {
      return rate.unit() == RateUnit.PercentOfLinkSpeed ? 0 : defaultBurst(rate);
    }
    return switch (rate.unit()) {
      case Packets -> whole(field + ".packets", burst.packets());
      case Bits, PercentOfLinkSpeed -> whole(field + ".bytes", burst.bytes());
      case Connections -> whole(field + ".connections", burst.connections());
    };
  }

  private static ExceedAction action(@Nullable Exceed exceed) {
    return exceed == null || exceed.action() == null ? ExceedAction.Drop : exceed.action();
  }

  private static @Nullable Integer dscp(@Nullable Exceed exceed, ExceedAction action) {
    if (action != ExceedAction.SetDSCP) {
      return null;
    }
    if (exceed == null || exceed.dscp() == null) {
      throw new InvalidPolicyException("spec.exceed.dscp: Required value");
    }
    return exceed.dscp();
  }

  private static long whole(String field, @Nullable Quantity quantity) {
    if (quantity == null) {
      throw new InvalidPolicyException(field + ": Required value");
    }
    try {
      return quantity.getNumericalAmount().longValueExact();
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new InvalidPolicyException(
          field + ": Invalid value: \"" + quantity + "\": must be a whole quantity");
    }
  }
}
