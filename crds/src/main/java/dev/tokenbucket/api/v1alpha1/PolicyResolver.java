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
    RateUnit unit = unit(spec.rate());
    long rate = rate(spec.rate(), unit);
    Bucket bucket = spec.bucket() == null ? Bucket.DEFAULT : spec.bucket();
    ExceedAction action = action(spec.exceed());
    return new NodePolicy(
        name,
        uid,
        generation,
        spec.interfaces() == null ? DEFAULT_INTERFACES : List.copyOf(spec.interfaces()),
        spec.direction() == null ? Direction.Ingress : spec.direction(),
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
        rate,
        burst(spec.burst(), unit, rate),
        action,
        dscp(spec.exceed(), action),
        spec.mode() == null ? Mode.Enforce : spec.mode());
  }

  /**
   * The tokens that a rate grants in 100 ms: at least ten packets (full ones) or connections, at
   * most 2^40.
   */
  static long defaultBurst(RateUnit unit, long rate) {
    long divisor = unit == RateUnit.Bits ? 80 : 10;
    long least = unit == RateUnit.Bits ? 10 * FULL_FRAME : 10;
    return Math.min(MAX_BURST, Math.max(least, (rate + divisor - 1) / divisor));
  }

  private static RateUnit unit(@Nullable Rate rate) {
    if (rate == null) {
      throw new InvalidPolicyException("spec.rate: Required value");
    }
    if (rate.connectionsPerSecond() != null) {
      return RateUnit.Connections;
    }
    return rate.packetsPerSecond() == null ? RateUnit.Bits : RateUnit.Packets;
  }

  private static long rate(Rate rate, RateUnit unit) {
    return switch (unit) {
      case Packets -> whole("spec.rate.packetsPerSecond", rate.packetsPerSecond());
      case Bits -> whole("spec.rate.bitsPerSecond", rate.bitsPerSecond());
      case Connections -> whole("spec.rate.connectionsPerSecond", rate.connectionsPerSecond());
    };
  }

  private static long burst(@Nullable Burst burst, RateUnit unit, long rate) {
    if (burst == null) {
      return defaultBurst(unit, rate);
    }
    return switch (unit) {
      case Packets -> whole("spec.burst.packets", burst.packets());
      case Bits -> whole("spec.burst.bytes", burst.bytes());
      case Connections -> whole("spec.burst.connections", burst.connections());
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
