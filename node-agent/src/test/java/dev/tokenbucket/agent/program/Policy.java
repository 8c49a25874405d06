package dev.tokenbucket.agent.program;

import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.InterfaceSelector;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A policy of which a test says what matters to it; each method gives another policy. Failsafes are
 * off unless asked for, so that tests see each packet judged.
 */
record Policy(
    RateUnit unit,
    long rate,
    long burst,
    BucketPer per,
    int capacity,
    OnFull onFull,
    int ipv4Prefix,
    int ipv6Prefix,
    List<NodeMatchTerm> match,
    List<NodeMatchTerm> exempt,
    Failsafe failsafe,
    ExceedAction action,
    @Nullable Integer dscp,
    Mode mode) {

  static Policy packets(long rate, long burst) {
    return of(RateUnit.Packets, rate, burst);
  }

  static Policy bytes(long bits, long burst) {
    return of(RateUnit.Bits, bits, burst);
  }

  static Policy connections(long rate, long burst) {
    return of(RateUnit.Connections, rate, burst).matching(Terms.newConnections());
  }

  private static Policy of(RateUnit unit, long rate, long burst) {
    return new Policy(
        unit,
        rate,
        burst,
        BucketPer.Node,
        1,
        OnFull.ShareBucket,
        32,
        64,
        List.of(),
        List.of(),
        Failsafe.Disabled,
        ExceedAction.Drop,
        null,
        Mode.Enforce);
  }

  /** As the agent gets it; policies are named in the order in which they are made. */
  NodePolicy at(int position) {
    String name = "policy-" + position;
    return new NodePolicy(
        name,
        name,
        1,
        List.of(InterfaceSelector.DEFAULT_ROUTE),
        Direction.Ingress,
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
        burst,
        action,
        dscp,
        mode);
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

  Policy per(BucketPer other, int places) {
    return new Policy(
        unit,
        rate,
        burst,
        other,
        places,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        match,
        exempt,
        failsafe,
        action,
        dscp,
        mode);
  }

  Policy evicting() {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        OnFull.EvictOldest,
        ipv4Prefix,
        ipv6Prefix,
        match,
        exempt,
        failsafe,
        action,
        dscp,
        mode);
  }

  Policy prefixes(int ipv4, int ipv6) {
    return new Policy(
        unit, rate, burst, per, capacity, onFull, ipv4, ipv6, match, exempt, failsafe, action, dscp,
        mode);
  }

  Policy matching(NodeMatchTerm... terms) {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        List.of(terms),
        exempt,
        failsafe,
        action,
        dscp,
        mode);
  }

  Policy exempting(NodeMatchTerm... terms) {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        match,
        List.of(terms),
        failsafe,
        action,
        dscp,
        mode);
  }

  Policy withFailsafes() {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        match,
        exempt,
        Failsafe.Enabled,
        action,
        dscp,
        mode);
  }

  Policy markingEcn() {
    return acting(ExceedAction.MarkECN, null);
  }

  Policy settingDscp(int value) {
    return acting(ExceedAction.SetDSCP, value);
  }

  private Policy acting(ExceedAction other, @Nullable Integer value) {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        match,
        exempt,
        failsafe,
        other,
        value,
        mode);
  }

  Policy audited() {
    return new Policy(
        unit,
        rate,
        burst,
        per,
        capacity,
        onFull,
        ipv4Prefix,
        ipv6Prefix,
        match,
        exempt,
        failsafe,
        action,
        dscp,
        Mode.Audit);
  }
}
