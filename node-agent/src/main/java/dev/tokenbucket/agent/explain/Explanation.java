// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What would happen to a packet on a hook.
 *
 * @param packet the packet as the classifier reads it
 * @param interfaceName absent if the policies are not in force
 * @param programId absent if the policies are not in force
 * @param failsafe the kind of failsafe traffic that the packet was exempt as; absent if none
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
  /** The version rises with a change that breaks readers of the previous schema. */
  static final String SCHEMA = "tokenbucket.dev/explain/v1";

  /**
   * This explanation, followed by the one of the interface's next hook. The program is that of the
   * last hook that the packet reaches.
   */
  Explanation then(Explanation next) {
    boolean isReached = verdict == Verdict.Pass;
    return new Explanation(
        schema,
        packet,
        interfaceName,
        direction,
        isReached ? next.programId : programId,
        isReached ? next.verdict : verdict,
        failsafe == null ? next.failsafe : failsafe,
        Stream.concat(policies.stream(), next.policies.stream()).toList());
  }

  /** The outcome for the packet. */
  public enum Verdict {
    Pass,
    Drop
  }

  /** A policy's result for the packet. */
  public enum Result {
    /** The packet conforms. */
    Conform,
    /** The packet exceeds. */
    Exceed,
    /** The packet is not IP, so no policy judges it. */
    NotIp,
    /** No term of match holds. */
    NotMatched,
    /** A term of exempt holds. */
    Exempt,
    /** The packet is failsafe traffic. */
    Failsafe,
    /** A policy before this one drops the packet. */
    NotReached
  }

  /**
   * A packet.
   *
   * @param source absent if the packet is not IP, or can't be read, like the other fields
   * @param sourcePort absent if the packet has none to read
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Packet(
      @Nullable String source,
      @Nullable String destination,
      @Nullable String protocol,
      @Nullable Integer sourcePort,
      @Nullable Integer destinationPort,
      long bytes) {}

  /** A term of match or exempt that holds, by its position in the list. */
  public record HoldingTerm(int index, NodeMatchTerm term) {}

  /**
   * One policy's step.
   *
   * @param ratePeriod the period of the rate; absent for a second
   * @param matchedBy absent if no term holds, or if the policy has no terms and matches all packets
   * @param bucket absent if the packet was not judged
   * @param parent the bucket that the policy's buckets share; absent if the policy has none, or the
   *     packet was not judged
   * @param refusedByParent whether the parent refuses a packet that its own bucket has tokens for;
   *     absent without a parent
   * @param marked whether the packet is marked instead of dropped
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Step(
      String name,
      RateUnit unit,
      long rate,
      @Nullable RatePeriod ratePeriod,
      long burst,
      BucketPer per,
      ExceedAction action,
      Mode mode,
      Result result,
      @Nullable HoldingTerm matchedBy,
      @Nullable HoldingTerm exemptBy,
      @Nullable BucketState bucket,
      @Nullable BucketState parent,
      @Nullable Boolean refusedByParent,
      @Nullable Boolean marked) {}

  /**
   * The bucket that judges the packet, in the policy's tokens: packets, bytes or connections.
   *
   * @param key the bucket's key; "all" if the bucket is shared
   * @param isNew whether the key had no bucket yet, and so has a full one
   * @param overflow whether the table is full, so that a shared bucket judges
   * @param tokens the current tokens; negative if a packet has left debt
   * @param cost the packet's cost
   * @param left the tokens right after the packet
   */
  public record BucketState(
      String key,
      @JsonProperty("new") boolean isNew,
      boolean overflow,
      double tokens,
      double cost,
      double left) {
    /** A bucket that all packets of a policy share. */
    static BucketState ofAll(double tokens, double cost, boolean spends) {
      return new BucketState(
          BucketKey.ALL, false, false, tokens, cost, spends ? tokens - cost : tokens);
    }
  }
}
