// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodeParentBucket;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A policy for tests, which set only the fields that matter to them. Each method returns another
 * policy. Failsafes are off unless asked for, so that each packet is judged.
 */
public final class Policy {
  private final RateUnit unit;
  private final long rate;
  private final RatePeriod period;
  private final long burst;

  // Written by with() alone, before anybody else sees the policy.
  private InterfaceSelector on = InterfaceSelector.DEFAULT_ROUTE;
  private Direction direction = Direction.Ingress;
  private Hook hook = Hook.TC;
  private BucketPer per = BucketPer.Node;
  private int capacity = 1;
  private OnFull onFull = OnFull.ShareBucket;
  private int ipv4Prefix = 32;
  private int ipv6Prefix = 64;
  private List<NodeMatchTerm> match = List.of();
  private List<NodeMatchTerm> exempt = List.of();
  private Failsafe failsafe = Failsafe.Disabled;
  private ExceedAction action = ExceedAction.Drop;
  private @Nullable Integer dscp;
  private @Nullable NodeParentBucket parent;
  private Mode mode = Mode.Enforce;

  private Policy(RateUnit unit, long rate, RatePeriod period, long burst) {
    this.unit = unit;
    this.rate = rate;
    this.period = period;
    this.burst = burst;
  }

  public static Policy packets(long rate, long burst) {
    return new Policy(RateUnit.Packets, rate, RatePeriod.Second, burst);
  }

  static Policy bytes(long bits, long burst) {
    return new Policy(RateUnit.Bits, bits, RatePeriod.Second, burst);
  }

  static Policy connections(long rate, long burst) {
    return connections(rate, RatePeriod.Second, burst);
  }

  static Policy connections(long rate, RatePeriod period, long burst) {
    return new Policy(RateUnit.Connections, rate, period, burst).matching(Terms.newConnections());
  }

  /** With the default burst. */
  public static Policy percentOfLinkSpeed(int percent) {
    return new Policy(RateUnit.PercentOfLinkSpeed, percent, RatePeriod.Second, 0)
        .per(BucketPer.Interface, 1);
  }

  long rate() {
    return rate;
  }

  long burst() {
    return burst;
  }

  public BucketPer per() {
    return per;
  }

  private Policy with(Consumer<Policy> change) {
    Policy other = new Policy(unit, rate, period, burst);
    other.on = on;
    other.direction = direction;
    other.hook = hook;
    other.per = per;
    other.capacity = capacity;
    other.onFull = onFull;
    other.ipv4Prefix = ipv4Prefix;
    other.ipv6Prefix = ipv6Prefix;
    other.match = match;
    other.exempt = exempt;
    other.failsafe = failsafe;
    other.action = action;
    other.dscp = dscp;
    other.parent = parent;
    other.mode = mode;
    change.accept(other);
    return other;
  }

  /** The policy as the agent receives it, named by its position. */
  public NodePolicy at(int position) {
    String name = "policy-" + position;
    return new NodePolicy(
        name,
        name,
        1,
        List.of(on),
        direction,
        hook,
        position,
        match,
        exempt,
        failsafe,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        unit,
        rate,
        period,
        burst,
        parent,
        action,
        dscp,
        mode);
  }

  Policy on(String interfaceName, Direction of) {
    return with(
        other -> {
          other.on = new InterfaceSelector(null, interfaceName, null, null);
          other.direction = of;
        });
  }

  public Policy at(Hook point) {
    return with(other -> other.hook = point);
  }

  Policy perSource(int places) {
    return per(BucketPer.SourceIP, places);
  }

  Policy perDestination(int places) {
    return per(BucketPer.DestinationIP, places);
  }

  Policy perFlow(int places) {
    return per(BucketPer.Flow, places);
  }

  public Policy per(BucketPer key, int places) {
    return with(
        other -> {
          other.per = key;
          other.capacity = places;
        });
  }

  Policy evicting() {
    return with(other -> other.onFull = OnFull.EvictOldest);
  }

  Policy prefixes(int ipv4, int ipv6) {
    return with(
        other -> {
          other.ipv4Prefix = ipv4;
          other.ipv6Prefix = ipv6;
        });
  }

  public Policy matching(NodeMatchTerm... terms) {
    return with(other -> other.match = List.of(terms));
  }

  Policy exempting(NodeMatchTerm... terms) {
    return with(other -> other.exempt = List.of(terms));
  }

  Policy withFailsafes() {
    return with(other -> other.failsafe = Failsafe.Enabled);
  }

  Policy markingEcn() {
    return with(other -> other.action = ExceedAction.MarkECN);
  }

  Policy settingDscp(int value) {
    return with(
        other -> {
          other.action = ExceedAction.SetDSCP;
          other.dscp = value;
        });
  }

  /** With a bucket that all of its buckets share; the rate is per second, in its own unit. */
  Policy withParent(long parentRate, long parentBurst) {
    return with(other -> other.parent = new NodeParentBucket(parentRate, null, parentBurst));
  }

  Policy audited() {
    return with(other -> other.mode = Mode.Audit);
  }
}
