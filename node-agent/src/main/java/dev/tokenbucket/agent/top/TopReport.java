// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.top;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The effect of this host's policies over an interval.
 *
 * @param seconds the length of the interval
 */
public record TopReport(String schema, double seconds, List<PolicyRates> policies) {
  /** The version rises with a change that breaks readers of the previous schema. */
  static final String SCHEMA = "tokenbucket.dev/top/v1";

  /**
   * A policy over all hooks of the host; packets and bytes are per second.
   *
   * @param ratePeriod the period of the rate; absent for a second
   * @param keyCount keys that have a bucket; absent if all packets share one, or the maps don't
   *     show it
   * @param limitedKeys keys that a packet exceeded in the interval
   * @param keys limited keys first, then the keys with the fewest tokens
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PolicyRates(
      String name,
      RateUnit unit,
      long rate,
      @Nullable RatePeriod ratePeriod,
      long burst,
      BucketPer per,
      Mode mode,
      double conformPackets,
      double conformBytes,
      double exceedPackets,
      double exceedBytes,
      @Nullable Long keyCount,
      @Nullable Long limitedKeys,
      List<KeyRates> keys) {}

  /**
   * A key.
   *
   * @param limited whether a packet exceeded the key's limit in the interval
   * @param tokens the current tokens: packets, bytes or connections
   * @param spent tokens per second that packets took; absent if the bucket may have been full in
   *     between, because then the maps don't show it
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record KeyRates(String key, boolean limited, double tokens, @Nullable Double spent) {}
}
