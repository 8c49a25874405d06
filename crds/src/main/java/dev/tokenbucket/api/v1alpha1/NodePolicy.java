// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One policy as a node should run it: every default resolved, every quantity a whole number. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record NodePolicy(
    @JsonPropertyDescription("The policy's name.") String name,
    @JsonPropertyDescription("The policy's uid.") String uid,
    @JsonPropertyDescription("The policy's generation that this entry was made from.")
        long generation,
    @JsonPropertyDescription("The host interfaces.") @Size(max = 32)
        List<InterfaceSelector> interfaces,
    @JsonPropertyDescription("As the interface sees it.") Direction direction,
    @JsonPropertyDescription("XDP or PreferXDP. Absent: TC.") @Nullable Hook hook,
    @JsonPropertyDescription("Lower first, ties by name.") int priority,
    @JsonPropertyDescription(
            "The packets to limit: those that any of these terms matches. Absent: all IP"
                + " traffic.")
        @Size(max = 64)
        List<NodeMatchTerm> match,
    @JsonPropertyDescription("Packets that any of these terms matches pass uncounted.")
        @Size(max = 64)
        List<NodeMatchTerm> exempt,
    @JsonPropertyDescription(
            "Whether traffic that the node needs to stay in its cluster is exempt.")
        Failsafe failsafe,
    @JsonPropertyDescription("What has a bucket of its own.") BucketPer per,
    @JsonPropertyDescription("The largest number of buckets.") int capacity,
    @JsonPropertyDescription("What happens when all buckets are in use.") OnFull onFull,
    @JsonPropertyDescription("Leading bits of an IPv4 address that make the key.")
        int ipv4PrefixLength,
    @JsonPropertyDescription("Leading bits of an IPv6 address that make the key.")
        int ipv6PrefixLength,
    @JsonPropertyDescription(
            "What a token is. PercentOfLinkSpeed: a bit, and the rate is a percentage of the speed"
                + " that each interface's link reports.")
        RateUnit unit,
    @JsonPropertyDescription(
            "The rate in packets, bits or connections per ratePeriod, or as a percentage.")
        long rate,
    @JsonPropertyDescription(
            "The rate's period: the shortest for which the rate is a whole number. Absent: a second.")
        @Nullable RatePeriod ratePeriod,
    @JsonPropertyDescription(
            "The burst in packets, bytes or connections; 0 with PercentOfLinkSpeed: what the rate on"
                + " the interface grants in 100 ms, at least 15140 bytes.")
        long burst,
    @JsonPropertyDescription(
            "The bucket that all of the policy's buckets on the node share. Absent: none.")
        @Nullable NodeParentBucket parent,
    @JsonPropertyDescription("What happens to packets that exceed.") ExceedAction action,
    @JsonPropertyDescription("The DSCP that SetDSCP gives.") @Nullable Integer dscp,
    @JsonPropertyDescription("Whether to act, or only to count.") Mode mode) {
  /**
   * The order in which policies judge a packet: those for XDP first, and those that prefer it, on
   * each interface alike; then lower priority first, ties by name.
   */
  public static final Comparator<NodePolicy> ORDER =
      Comparator.comparing((NodePolicy policy) -> policy.hookOrTc() == Hook.TC)
          .thenComparingInt(NodePolicy::priority)
          .thenComparing(NodePolicy::name);

  /** Sets fields that JSON omits, or that an older version did not write, to their defaults. */
  public NodePolicy {
    interfaces = orEmpty(interfaces);
    match = orEmpty(match);
    exempt = orEmpty(exempt);
    hook = hook == Hook.TC ? null : hook;
    failsafe = failsafe == null ? Failsafe.Enabled : failsafe;
    onFull = onFull == null ? OnFull.ShareBucket : onFull;
  }

  /** The hook to run on. */
  public Hook hookOrTc() {
    return hook == null ? Hook.TC : hook;
  }

  /** The rate with its unit and period. */
  public TokenRate tokenRate() {
    return TokenRate.of(unit, rate, ratePeriod);
  }

  /** The limit of each of the policy's buckets. */
  public TokenLimit limit() {
    return new TokenLimit(tokenRate(), burst);
  }

  /** The limit of the bucket that the policy's buckets share, if there is one. */
  public Optional<TokenLimit> parentLimit() {
    return Optional.ofNullable(parent)
        .map(of -> new TokenLimit(TokenRate.of(unit, of.rate(), of.ratePeriod()), of.burst()));
  }

  /** Whether the rate depends on the link, so that each interface has its own. */
  public boolean needsLinkSpeed() {
    return unit == RateUnit.PercentOfLinkSpeed;
  }

  /**
   * This policy on an interface whose link has this speed; a policy that does not depend on the
   * speed is the same on each.
   *
   * @param megabits the link's speed in Mbit/s
   */
  public NodePolicy atLinkSpeed(long megabits) {
    if (!needsLinkSpeed()) {
      return this;
    }
    TokenRate bits = tokenRate().ofLinkSpeed(megabits);
    return withRate(bits, burst == 0 ? PolicyResolver.defaultBurst(bits) : burst);
  }

  /** This policy with another rate and burst. */
  public NodePolicy withRate(TokenRate other, long otherBurst) {
    return with(generation, match, exempt, other, otherBurst);
  }

  /** Whether another entry has the same content, whatever its generation. */
  public boolean asksForTheSameAs(NodePolicy other) {
    return equals(
        other.with(generation, other.match, other.exempt, other.tokenRate(), other.burst));
  }

  /** This policy with other terms. */
  NodePolicy withTerms(List<NodeMatchTerm> matchTerms, List<NodeMatchTerm> exemptTerms) {
    return with(generation, matchTerms, exemptTerms, tokenRate(), burst);
  }

  private NodePolicy with(
      long newGeneration,
      List<NodeMatchTerm> newMatch,
      List<NodeMatchTerm> newExempt,
      TokenRate newRate,
      long newBurst) {
    return new NodePolicy(
        name,
        uid,
        newGeneration,
        interfaces,
        direction,
        hook,
        priority,
        newMatch,
        newExempt,
        failsafe,
        per,
        capacity,
        onFull,
        ipv4PrefixLength,
        ipv6PrefixLength,
        newRate.unit(),
        newRate.amount(),
        newRate.periodUnlessSecond(),
        newBurst,
        parent,
        action,
        dscp,
        mode);
  }

  static <T> List<T> orEmpty(@Nullable List<T> list) {
    return list == null ? List.of() : List.copyOf(list);
  }
}
