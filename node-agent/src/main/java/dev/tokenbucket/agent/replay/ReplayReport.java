// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.replay;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The outcome for a capture's packets. Times are in seconds from the first packet.
 *
 * @param begin the time of the first packet
 * @param seconds from the first packet to the latest
 * @param notIp frames that hold no IP, and passed
 * @param failsafeExempt packets that the failsafes exempted
 * @param shortened packets longer than a run accepts, which were charged for the accepted length
 * @param policies in the order in which they apply
 */
public record ReplayReport(
    String schema,
    String file,
    Direction direction,
    long packets,
    long passed,
    long dropped,
    long notIp,
    long failsafeExempt,
    long shortened,
    String begin,
    double seconds,
    List<PolicyReport> policies) {
  /** The version rises with a change that breaks readers of the previous schema. */
  static final String SCHEMA = "tokenbucket.dev/replay/v1";

  /**
   * One policy's result.
   *
   * @param ratePeriod the period of the rate; absent for a second
   * @param overflowPackets packets that found no place in a full table
   * @param keyCount how many keys had a packet
   * @param keys the keys with most refusals
   * @param stepSeconds the length of each step of the timeline
   */
  public record PolicyReport(
      String name,
      RateUnit unit,
      long rate,
      @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable RatePeriod ratePeriod,
      long burst,
      BucketPer per,
      ExceedAction action,
      Mode mode,
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      long overflowPackets,
      long markedPackets,
      int keyCount,
      List<KeyReport> keys,
      List<Refusal> firstRefusals,
      double stepSeconds,
      List<Timeline.Step> timeline) {}

  /**
   * One key's result.
   *
   * @param firstExceedSeconds absent if all packets conformed
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record KeyReport(
      String key,
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      @Nullable Double firstExceedSeconds) {}

  /**
   * A packet that exceeded.
   *
   * @param packet the packet's number in the capture, from 1
   */
  public record Refusal(long packet, double seconds, String key, long bytes) {}
}
