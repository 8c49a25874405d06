package dev.tokenbucket.agent.program;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;

/** A hook as read back from the kernel, with its policies in the order in which they apply. */
public record RunningHook(
    @JsonProperty("interface") String interfaceName,
    Direction direction,
    String hook,
    long programId,
    long notIpPackets,
    List<RunningPolicy> policies) {

  /**
   * A policy on a hook: parameters from the maps (rate a second, burst), and its counters there.
   */
  public record RunningPolicy(
      String name,
      String uid,
      long generation,
      RateUnit unit,
      long rate,
      long burst,
      BucketPer per,
      Mode mode,
      long conformPackets,
      long conformBytes,
      long exceedPackets,
      long exceedBytes,
      long contendedPackets,
      long overflowPackets) {
    /** Q, readable. */
    public String rateText() {
      return unit.rateText(rate);
    }

    /** B, readable. */
    public String burstText() {
      return unit.burstText(burst);
    }
  }
}
