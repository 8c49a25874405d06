package dev.tokenbucket.agent.replay;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a capture's packets. Times are seconds from its first packet.
 *
 * @param begin when that was
 * @param seconds from it to the latest packet
 * @param notIp frames that hold no IP, and passed
 * @param failsafeExempt packets that failsafes let pass
 * @param shortened packets longer than a run takes, and charged for what it takes
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
  /** Raised by a change that a reader of the one before would stumble over. */
  static final String SCHEMA = "tokenbucket.dev/replay/v1";

  /**
   * A policy's part.
   *
   * @param overflowPackets packets that found no place in a full table
   * @param keyCount how many keys had a packet
   * @param keys of these the ones with most refusals
   * @param stepSeconds how long each step of the timeline is
   */
  public record PolicyReport(
      String name,
      RateUnit unit,
      long rate,
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
   * One key's part.
   *
   * @param firstExceedSeconds absent where all conformed
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
   * @param packet its number in the capture, from 1 on
   */
  public record Refusal(long packet, double seconds, String key, long bytes) {}
}
