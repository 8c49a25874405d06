package dev.tokenbucket.api.v1alpha1;

import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From what a user asks for to what a node is to run: defaults filled in, quantities as whole
 * numbers. Pure. It refuses what the CRD's rules refuse, with their messages, for where no API
 * server has judged the policy.
 */
public final class PolicyResolver {
  private static final long MAX_BURST = 1L << 40;
  private static final long FULL_FRAME = 1514;
  private static final int DEFAULT_PRIORITY = 500;
  private static final int DEFAULT_CAPACITY = 65_536;
  private static final int MAX_CAPACITY = 4_000_000;
  private static final List<InterfaceSelector> DEFAULT_INTERFACES =
      List.of(new InterfaceSelector(true, null));

  private PolicyResolver() {}

  /** A policy that breaks a rule; the message has field, value and what is allowed. */
  public static final class InvalidPolicyException extends RuntimeException {
    private static final long serialVersionUID = 1;

    InvalidPolicyException(String message) {
      super(message);
    }
  }

  /**
   * Resolves a policy.
   *
   * @throws InvalidPolicyException where a rule is broken
   */
  public static NodePolicy resolve(
      String name, String uid, long generation, @Nullable TokenBucketPolicySpec spec) {
    if (spec == null) {
      throw new InvalidPolicyException("spec: Required value");
    }
    RateUnit unit = unit(spec.rate());
    long rate = rate(spec.rate(), unit);
    Bucket bucket = spec.bucket() == null ? new Bucket(null, null) : spec.bucket();
    return new NodePolicy(
        name,
        uid,
        generation,
        interfaces(spec.interfaces()),
        spec.direction() == null ? Direction.Ingress : spec.direction(),
        within("spec.priority", spec.priority(), DEFAULT_PRIORITY, 0, 1000),
        bucket.per() == null ? BucketPer.Node : bucket.per(),
        within("spec.bucket.capacity", bucket.capacity(), DEFAULT_CAPACITY, 1, MAX_CAPACITY),
        unit,
        rate,
        burst(spec.burst(), unit, rate),
        ExceedAction.Drop,
        spec.mode() == null ? Mode.Enforce : spec.mode());
  }

  /** What a rate grants in 100 ms, at least ten full packets, at most 2^40. */
  static long defaultBurst(RateUnit unit, long rate) {
    long divisor = unit == RateUnit.Packets ? 10 : 80;
    long least = unit == RateUnit.Packets ? 10 : 10 * FULL_FRAME;
    return Math.min(MAX_BURST, Math.max(least, (rate + divisor - 1) / divisor));
  }

  private static RateUnit unit(@Nullable Rate rate) {
    if (rate == null) {
      throw new InvalidPolicyException("spec.rate: Required value");
    }
    if ((rate.packetsPerSecond() == null) == (rate.bitsPerSecond() == null)) {
      throw new InvalidPolicyException(
          "spec.rate: Invalid value: exactly one of packetsPerSecond, bitsPerSecond must be set");
    }
    return rate.packetsPerSecond() == null ? RateUnit.Bits : RateUnit.Packets;
  }

  private static long rate(Rate rate, RateUnit unit) {
    Quantity packets = rate.packetsPerSecond();
    if (unit == RateUnit.Packets && packets != null) {
      return whole(
          "spec.rate.packetsPerSecond",
          packets,
          1,
          10_000_000_000L,
          "from 1 to 10G packets a second");
    }
    Quantity bits = rate.bitsPerSecond();
    if (bits == null) {
      throw new IllegalStateException("a rate has a unit");
    }
    return whole(
        "spec.rate.bitsPerSecond", bits, 8, 10_000_000_000_000L, "from 8 to 10T bits a second");
  }

  private static long burst(@Nullable Burst burst, RateUnit unit, long rate) {
    if (burst == null) {
      return defaultBurst(unit, rate);
    }
    Quantity packets = burst.packets();
    Quantity bytes = burst.bytes();
    if ((packets == null) == (bytes == null)) {
      throw new InvalidPolicyException(
          "spec.burst: Invalid value: exactly one of packets, bytes must be set");
    }
    if (packets != null) {
      if (unit != RateUnit.Packets) {
        throw new InvalidPolicyException(
            "spec.burst.packets: Forbidden: burst.packets goes with rate.packetsPerSecond; with"
                + " rate.bitsPerSecond set burst.bytes");
      }
      return whole("spec.burst.packets", packets, 1, MAX_BURST, "from 1 to 1Ti (2^40) packets");
    }
    if (unit != RateUnit.Bits || bytes == null) {
      throw new InvalidPolicyException(
          "spec.burst.bytes: Forbidden: burst.bytes goes with rate.bitsPerSecond; with"
              + " rate.packetsPerSecond set burst.packets");
    }
    return whole("spec.burst.bytes", bytes, FULL_FRAME, MAX_BURST, "from 1514 to 1Ti (2^40) bytes");
  }

  private static long whole(
      String field, Quantity quantity, long least, long most, String allowed) {
    String text = quantity.toString();
    try {
      BigDecimal amount = quantity.getNumericalAmount();
      if (amount.stripTrailingZeros().scale() <= 0
          && amount.compareTo(BigDecimal.valueOf(least)) >= 0
          && amount.compareTo(BigDecimal.valueOf(most)) <= 0) {
        return amount.longValueExact();
      }
    } catch (IllegalArgumentException e) {
      throw invalid(field, shown(text), "must be a whole quantity " + allowed);
    }
    throw invalid(field, shown(text), "must be a whole quantity " + allowed);
  }

  private static int within(
      String field, @Nullable Integer value, int absent, int least, int most) {
    int number = value == null ? absent : value;
    if (number < least || number > most) {
      throw invalid(field, Integer.toString(number), "must be from " + least + " to " + most);
    }
    return number;
  }

  private static List<InterfaceSelector> interfaces(@Nullable List<InterfaceSelector> selectors) {
    if (selectors == null) {
      return DEFAULT_INTERFACES;
    }
    if (selectors.isEmpty()) {
      throw invalid(
          "spec.interfaces", "[]", "spec.interfaces in body should have at least 1 items");
    }
    if (selectors.size() > 32) {
      throw new InvalidPolicyException(
          "spec.interfaces: Too many: " + selectors.size() + ": must have at most 32 items");
    }
    List<InterfaceSelector> checked = new ArrayList<>();
    for (int i = 0; i < selectors.size(); i++) {
      checked.add(checked("spec.interfaces[" + i + "]", selectors.get(i)));
    }
    return List.copyOf(checked);
  }

  private static InterfaceSelector checked(String field, InterfaceSelector selector) {
    String name = selector.name();
    if ((selector.defaultRoute() == null) == (name == null)) {
      throw new InvalidPolicyException(
          field + ": Invalid value: exactly one of defaultRoute, name must be set");
    }
    if (Boolean.FALSE.equals(selector.defaultRoute())) {
      throw invalid(field + ".defaultRoute", "false", "must be true where it is set");
    }
    if (name != null && name.isEmpty()) {
      throw invalid(
          field + ".name", quote(name), field + ".name in body should be at least 1 chars long");
    }
    if (name != null && name.length() > 15) {
      throw new InvalidPolicyException(field + ".name: Too long: may not be more than 15 bytes");
    }
    if (name != null && (!name.matches("[^/ \\t\\n:]*") || name.equals(".") || name.equals(".."))) {
      throw invalid(
          field + ".name",
          quote(name),
          "must be an interface name: no slash, colon or white space");
    }
    return selector;
  }

  /** As the API server prints it: a number stands bare, any other text quoted. */
  private static String shown(String quantity) {
    return quantity.matches("-?[0-9]+") ? quantity : quote(quantity);
  }

  private static String quote(String text) {
    return '"' + text + '"';
  }

  private static InvalidPolicyException invalid(String field, String value, String message) {
    return new InvalidPolicyException(field + ": Invalid value: " + value + ": " + message);
  }
}
