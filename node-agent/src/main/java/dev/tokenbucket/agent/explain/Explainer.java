// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.explain.Explanation.BucketState;
import dev.tokenbucket.agent.explain.Explanation.HoldingTerm;
import dev.tokenbucket.agent.explain.Explanation.Packet;
import dev.tokenbucket.agent.explain.Explanation.Result;
import dev.tokenbucket.agent.explain.Explanation.Step;
import dev.tokenbucket.agent.explain.Explanation.Verdict;
import dev.tokenbucket.agent.explain.TermProbe.Holding;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeTraffic;
import dev.tokenbucket.agent.pins.Layouts;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.agent.simulate.SimulatedHook;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.IpProtocol;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Explains what would happen to one packet, by running the packet through the classifier. */
public final class Explainer {
  private final Kernel kernel;
  private final byte[] replayObject;
  private final Direction direction;

  /**
   * @param replayObject the bytes of replay.bpf.o
   */
  public Explainer(Kernel kernel, byte[] replayObject, Direction direction) {
    this.kernel = kernel;
    this.replayObject = replayObject.clone();
    this.direction = direction;
  }

  /** A frame, built once the hook's link layer is known. */
  @FunctionalInterface
  public interface Frame {
    byte[] on(boolean ethernet);
  }

  /** Explains a packet on an interface. The interface's maps are read and not changed. */
  public Explanation onHook(
      String interfaceName,
      Path bpffs,
      Path objects,
      List<NodePolicy> policies,
      FailsafeSettings failsafes,
      Frame frame) {
    List<LiveHook> hooks =
        new LiveHook.Finder(kernel, bpffs, objects)
            .find(interfaceName, direction, policies, failsafes);
    Explanation whole = onHook(interfaceName, bpffs, hooks.get(0), true, failsafes, frame);
    for (LiveHook later : hooks.subList(1, hooks.size())) {
      boolean isReached = whole.verdict() == Verdict.Pass;
      whole = whole.then(onHook(interfaceName, bpffs, later, isReached, failsafes, frame));
    }
    return whole;
  }

  private Explanation onHook(
      String interfaceName,
      Path bpffs,
      LiveHook live,
      boolean isReached,
      FailsafeSettings failsafes,
      Frame frame) {
    byte[] bytes = frame.on(live.ethernet());
    List<NodePolicy> inOrder = live.policies().stream().map(Placed::policy).toList();
    try (SimulatedHook simulated = simulated(live.ethernet(), inOrder, failsafes);
        HookCopy copy = new HookCopy(kernel, Layouts.on(bpffs).own(), live)) {
      PacketReport read = simulated.run(bytes, 0, bytes.length, bytes.length, SimulatedHook.START);
      LiveJudgement judgement = new LiveJudgement(copy, live.policies(), read);
      boolean passes = isReached && judgement.run(bytes);
      return explanation(
          interfaceName,
          live.attached().programId(),
          passes,
          copy.failsafe().map(FailsafeTraffic::text).orElse(null),
          read,
          bytes.length,
          inOrder,
          isReached ? judgement : new NotReachedJudgement(),
          new TermProbe(kernel, replayObject, direction, live.ethernet(), bytes));
    }
  }

  /** Explains a packet as if these policies were in force, with every bucket full. */
  public Explanation onPolicies(
      List<NodePolicy> policies, FailsafeSettings failsafes, boolean ethernet, Frame frame) {
    List<NodePolicy> inOrder = policies.stream().sorted(NodePolicy.ORDER).toList();
    byte[] bytes = frame.on(ethernet);
    try (SimulatedHook simulated = simulated(ethernet, inOrder, failsafes)) {
      PacketReport read = simulated.run(bytes, 0, bytes.length, bytes.length, SimulatedHook.START);
      return explanation(
          null,
          null,
          !read.isDropped(),
          read.isFailsafe() ? "failsafe" : null,
          read,
          bytes.length,
          inOrder,
          new FullJudgement(inOrder, read),
          new TermProbe(kernel, replayObject, direction, ethernet, bytes));
    }
  }

  private SimulatedHook simulated(
      boolean ethernet, List<NodePolicy> policies, FailsafeSettings failsafes) {
    return new SimulatedHook(kernel, replayObject, direction, ethernet, policies, failsafes);
  }

  /** The policies' judgements of the packet, by position in the order. */
  interface Judgement {
    boolean isJudged(int policy);

    boolean exceeds(int policy);

    boolean isMarked(int policy);

    boolean isFailsafe();

    BucketState bucket(int policy);

    /** Whether the parent bucket refuses a packet that its own bucket has tokens for. */
    boolean isRefusedByParent(int policy);

    /** The bucket that the policy's buckets share, if it has one. */
    Optional<BucketState> parent(int policy);
  }

  private Explanation explanation(
      @Nullable String interfaceName,
      @Nullable Long programId,
      boolean passes,
      @Nullable String failsafe,
      PacketReport read,
      int bytes,
      List<NodePolicy> policies,
      Judgement judgement,
      TermProbe terms) {
    List<Step> steps = new ArrayList<>();
    Holding holding = terms.of(read.version() == 0 ? List.<NodePolicy>of() : policies);
    for (int i = 0; i < policies.size(); i++) {
      steps.add(step(policies.get(i), i, read, judgement, holding));
    }
    return new Explanation(
        Explanation.SCHEMA,
        packet(read, bytes),
        interfaceName,
        direction,
        programId,
        passes ? Verdict.Pass : Verdict.Drop,
        failsafe,
        List.copyOf(steps));
  }

  private static Step step(
      NodePolicy policy, int index, PacketReport read, Judgement judgement, Holding holding) {
    boolean ip = read.version() != 0;
    boolean judged = judgement.isJudged(index);
    boolean exceeds = judged && judgement.exceeds(index);
    HoldingTerm matchedBy = term(policy.match(), holding.match().get(index));
    HoldingTerm exemptBy = term(policy.exempt(), holding.exempt().get(index));
    boolean meetsParent = judged && policy.parent() != null;
    boolean matched = matchedBy != null || policy.match().isEmpty();
    return new Step(
        policy.name(),
        policy.unit(),
        policy.rate(),
        policy.ratePeriod(),
        policy.burst(),
        policy.per(),
        policy.action(),
        policy.mode(),
        judged ? judged(exceeds) : notJudged(policy, ip, matched, exemptBy != null, judgement),
        matchedBy,
        exemptBy,
        judged ? judgement.bucket(index) : null,
        judged ? judgement.parent(index).orElse(null) : null,
        meetsParent ? judgement.isRefusedByParent(index) : null,
        exceeds ? judgement.isMarked(index) : null);
  }

  private static Result judged(boolean exceeds) {
    return exceeds ? Result.Exceed : Result.Conform;
  }

  /** The reason why a policy has not judged the packet. */
  private static Result notJudged(
      NodePolicy policy, boolean ip, boolean matched, boolean exempt, Judgement judgement) {
    if (!ip) {
      return Result.NotIp;
    }
    if (!matched) {
      return Result.NotMatched;
    }
    if (exempt) {
      return Result.Exempt;
    }
    return judgement.isFailsafe() && policy.failsafe() == Failsafe.Enabled
        ? Result.Failsafe
        : Result.NotReached;
  }

  private static @Nullable HoldingTerm term(List<NodeMatchTerm> terms, @Nullable Integer index) {
    return index == null ? null : new HoldingTerm(index, terms.get(index));
  }

  private static Packet packet(PacketReport read, int bytes) {
    boolean ip = read.version() == 4 || read.version() == 6;
    boolean ports = ip && read.hasPorts();
    return new Packet(
        ip ? read.source() : null,
        ip ? read.destination() : null,
        ip ? IpProtocol.name(read.protocol()) : null,
        ports ? read.sourcePort() : null,
        ports ? read.destinationPort() : null,
        ip ? read.length() : bytes);
  }

  /** The cost of a packet, in the policy's tokens. */
  static double cost(RateUnit unit, PacketReport read) {
    return unit == RateUnit.Bits ? read.length() : 1;
  }
}
