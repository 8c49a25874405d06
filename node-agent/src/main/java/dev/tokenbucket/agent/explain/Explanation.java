package dev.tokenbucket.agent.explain;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a packet would meet on a hook.
 *
 * @param packet as the classifier reads it
 * @param interfaceName absent where the policies are not in force
 * @param programId likewise
 * @param failsafe the kind of failsafe traffic that it was exempt as; absent where it was none
 * @param policies in the order in which they apply
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Explanation(
    String schema,
    Packet packet,
    @JsonProperty("interface") @Nullable String interfaceName,
    Direction direction,
    @Nullable Long programId,
    Verdict verdict,
    @Nullable String failsafe,
    List<Step> policies) {
  /** Raised by a change that a reader of the one before would stumble over. */
  static final String SCHEMA = "tokenbucket.dev/explain/v1";

  /** What becomes of the packet. */
  public enum Verdict {
    Pass,
    Drop
  }

  /** What a policy says of the packet. */
  public enum Result {
    /** It conforms. */
    Conform,
    /** It exceeds. */
    Exceed,
    /** It holds no IP, which no policy judges. */
    NotIp,
    /** No term of match holds. */
    NotMatched,
    /** A term of exempt holds. */
    Exempt,
    /** It is failsafe traffic. */
    Failsafe,
    /** A policy before this one drops it. */
    NotReached
  }

  /**
   * A packet.
   *
   * @param source absent where it holds no IP, or can't be read; so are the others
   * @param sourcePort absent where it has none to read
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Packet(
      @Nullable String source,
      @Nullable String destination,
      @Nullable String protocol,
      @Nullable Integer sourcePort,
      @Nullable Integer destinationPort,
      long bytes) {}

  /** A term of match or exempt that holds, by its place in the list. */
  public record HoldingTerm(int index, NodeMatchTerm term) {}

  /**
   * One policy's part.
   *
   * @param matchedBy absent where no term holds, or the policy has none and matches all
   * @param bucket absent where the packet was not judged
   * @param marked whether it is marked in place of dropped
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Step(
      String name,
      RateUnit unit,
      long rate,
      long burst,
      BucketPer per,
      ExceedAction action,
      Mode mode,
      Result result,
      @Nullable HoldingTerm matchedBy,
      @Nullable HoldingTerm exemptBy,
      @Nullable BucketState bucket,
      @Nullable Boolean marked) {}

  /**
   * The bucket that judges the packet, in the policy's tokens: packets, bytes or connections.
   *
   * @param key whose it is; "all" where it is shared
   * @param isNew whether the key had no bucket yet, and so a full one
   * @param overflow whether the table is full, so that a shared one judges
   * @param tokens what it holds now; below zero where a packet has left debt
   * @param cost of the packet
   * @param left what it would hold right after the packet
   */
  public record BucketState(
      String key,
      @JsonProperty("new") boolean isNew,
      boolean overflow,
      double tokens,
      double cost,
      double left) {}
}
