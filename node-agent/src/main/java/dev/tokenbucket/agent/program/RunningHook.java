// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import dev.tokenbucket.api.v1alpha1.TokenLimit;
import dev.tokenbucket.api.v1alpha1.TokenRate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A hook as read back from the kernel, with its policies in the order in which they apply.
 *
 * @param failsafeExemptPackets packets that no policy judged, because they are failsafe traffic
 * @param failsafeExceedPackets failsafe traffic beyond the failsafes' own buckets, which the
 *     policies judged
 * @param failsafes the same counters per kind of traffic
 */
public record RunningHook(
    @JsonProperty("interface") String interfaceName,
    Direction direction,
    String hook,
    long programId,
    long notIpPackets,
    long failsafeExemptPackets,
    long failsafeExceedPackets,
    List<Exempted> failsafes,
    List<RunningPolicy> policies) {

  /** Failsafe traffic of one kind. */
  public record Exempted(String kind, long exemptPackets, long exceedPackets) {}

  /**
   * A policy on a hook: parameters from the maps (rate, burst), and its counters on the hook.
   *
   * @param ratePeriod the period of the rate; absent for a second
   * @param parent the bucket that the policy's buckets share; absent if there is none
   * @param buckets the policy's table on this host; absent if all packets share one bucket
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record RunningPolicy(
      String name,
      String uid,
      long generation,
      RateUnit unit,
      long rate,
      @Nullable RatePeriod ratePeriod,
      long burst,
      BucketPer per,
      ExceedAction action,
      Mode mode,
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      long contendedPackets,
      long overflowPackets,
      long markedPackets,
      @Nullable Parent parent,
      @Nullable Buckets buckets) {
    /** Q, formatted for people. */
    public String rateText() {
      return TokenRate.of(unit, rate, ratePeriod).text();
    }

    /** Q per second; a fraction if the period is longer. */
    public double ratePerSecond() {
      return (double) rate / TokenRate.of(unit, rate, ratePeriod).period().seconds();
    }

    /** B, formatted for people. */
    public String burstText() {
      return unit.burstText(burst);
    }
  }

  /**
   * The bucket that all of a policy's buckets share.
   *
   * @param ratePeriod the period of the rate; absent for a second
   * @param exceedPackets packets that this bucket refused, which their own bucket had not
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Parent(long rate, @Nullable RatePeriod ratePeriod, long burst, long exceedPackets) {
    /** The bucket's limit, in the policy's unit. */
    public TokenLimit limit(RateUnit unit) {
      return new TokenLimit(TokenRate.of(unit, rate, ratePeriod), burst);
    }
  }

  /**
   * A table of buckets.
   *
   * @param used places in use
   * @param swept idle buckets that were removed
   * @param evicted approximately how many buckets made room for others
   * @param memoryBytes kernel memory, allocated at the policy's start
   */
  public record Buckets(long used, long capacity, long swept, long evicted, long memoryBytes) {}
}
