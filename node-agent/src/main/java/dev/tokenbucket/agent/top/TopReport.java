package dev.tokenbucket.agent.top;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What policies of this host did over an interval.
 *
 * @param seconds how long the interval was
 */
public record TopReport(String schema, double seconds, List<PolicyRates> policies) {
  /** Raised by a change that a reader of the one before would stumble over. */
  static final String SCHEMA = "tokenbucket.dev/top/v1";

  /**
   * A policy over all hooks of the host; packets and bytes are a second.
   *
   * @param keyCount keys that have a bucket; absent where all share one, or the maps don't tell
   * @param limitedKeys of these, those that a packet has exceeded in the interval
   * @param keys the ones that were limited first, then those that hold least
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record PolicyRates(
      String name,
      RateUnit unit,
      long rate,
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
   * @param limited whether a packet has exceeded it in the interval
   * @param tokens what it holds now: packets, bytes or connections
   * @param spent tokens a second that packets took; absent where its bucket may have been full in
   *     between, for then the maps don't tell
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record KeyRates(String key, boolean limited, double tokens, @Nullable Double spent) {}
}
