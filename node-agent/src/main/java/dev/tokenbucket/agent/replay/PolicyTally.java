// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.replay;

import dev.tokenbucket.agent.capture.CapturedFrame;
import dev.tokenbucket.agent.replay.ReplayReport.KeyReport;
import dev.tokenbucket.agent.replay.ReplayReport.PolicyReport;
import dev.tokenbucket.agent.replay.ReplayReport.Refusal;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A policy's effect on the packets of a capture: in total, per key, and over time. */
final class PolicyTally {
  private static final double NANOS = 1e9;

  private final NodePolicy policy;
  private final BucketKey.Making making;
  private final long bit;
  private final int mostKeys;
  private final int mostRefusals;
  private final Tally all = new Tally();
  private final Timeline timeline = new Timeline();
  private final Map<BucketKey, Tally> byKey = new HashMap<>();
  private final BucketKey probe = new BucketKey();
  private final List<Refusal> refusals = new ArrayList<>();
  private long overflowed;
  private long marked;

  /**
   * @param index the policy's index in the hook's order
   * @param mostKeys the most keys that are distinguished; packets of other keys count only in the
   *     total
   * @param mostRefusals how many of the first refusals are kept
   */
  PolicyTally(NodePolicy policy, int index, int mostKeys, int mostRefusals) {
    this.policy = policy;
    this.making = BucketKey.Making.of(policy);
    this.bit = 1L << index;
    this.mostKeys = mostKeys;
    this.mostRefusals = mostRefusals;
  }

  /**
   * Counts a packet, if the policy has judged it.
   *
   * @param after nanoseconds from the capture's first packet
   */
  void add(PacketReport packet, CapturedFrame frame, long after) {
    if ((packet.judged() & bit) == 0) {
      return;
    }
    boolean exceeds = (packet.exceeded() & bit) != 0;
    overflowed += (packet.overflowed() & bit) != 0 ? 1 : 0;
    marked += (packet.marked() & bit) != 0 ? 1 : 0;
    all.add(after, packet.length(), exceeds);
    timeline.add(after, exceeds);
    probe.set(policy, packet);
    Tally ofKey = byKey.get(probe);
    if (ofKey == null && byKey.size() < mostKeys) {
      ofKey = new Tally();
      byKey.put(probe.copy(), ofKey);
    }
    if (ofKey != null) {
      ofKey.add(after, packet.length(), exceeds);
    }
    if (exceeds && refusals.size() < mostRefusals) {
      refusals.add(new Refusal(frame.number(), after / NANOS, probe.text(making), packet.length()));
    }
  }

  /**
   * The policy's report.
   *
   * @param most how many keys to report, those with most refusals first
   */
  PolicyReport report(int most) {
    return new PolicyReport(
        policy.name(),
        policy.unit(),
        policy.rate(),
        policy.ratePeriod(),
        policy.burst(),
        policy.per(),
        policy.action(),
        policy.mode(),
        all.conformPackets,
        all.conformBytes,
        all.exceedPackets,
        all.exceedBytes,
        overflowed,
        marked,
        byKey.size(),
        keys(most),
        List.copyOf(refusals),
        timeline.stepSeconds(),
        timeline.steps());
  }

  private List<KeyReport> keys(int most) {
    Comparator<Map.Entry<BucketKey, Tally>> worst =
        Comparator.<Map.Entry<BucketKey, Tally>>comparingLong(each -> each.getValue().exceedPackets)
            .thenComparingLong(each -> each.getValue().conformPackets)
            .reversed();
    return byKey.entrySet().stream()
        .sorted(worst)
        .limit(most)
        .map(each -> key(each.getKey(), each.getValue()))
        .toList();
  }

  private KeyReport key(BucketKey key, Tally tally) {
    return new KeyReport(
        key.text(making),
        tally.conformPackets,
        tally.conformBytes,
        tally.exceedPackets,
        tally.exceedBytes,
        tally.hasExceeded() ? tally.firstExceed() / NANOS : null);
  }
}
