// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.explain.Explanation.BucketState;
import dev.tokenbucket.agent.hooks.HookConfiguration.Placed;
import dev.tokenbucket.agent.layout.VerdictCountersLayout;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.agent.simulate.TokenReading;
import dev.tokenbucket.agent.slots.AxisLine;
import dev.tokenbucket.agent.slots.SlotIdentity;
import dev.tokenbucket.agent.slots.Sums;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The judgement of a copy of a hook's program: the copy's counters show which policies judged the
 * packet, and how.
 */
final class LiveJudgement implements Explainer.Judgement {
  private final HookCopy copy;
  private final List<Placed> policies;
  private final PacketReport read;
  private final List<BucketKey> keys = new ArrayList<>();
  private final List<Double> before = new ArrayList<>();
  private final List<Optional<Double>> parentBefore = new ArrayList<>();
  private final List<Boolean> known = new ArrayList<>();
  private final List<Boolean> overflows = new ArrayList<>();

  LiveJudgement(HookCopy copy, List<Placed> policies, PacketReport read) {
    this.copy = copy;
    this.policies = policies;
    this.read = read;
  }

  /** Runs the packet; returns whether it passes. The state is copied right before. */
  boolean run(byte[] frame) {
    copy.copyFailsafes();
    for (Placed placed : policies) {
      BucketKey key = new BucketKey();
      key.set(placed.policy(), read);
      keys.add(key);
      overflows.add(copy.copyPolicy(placed, key.encode(placed.policy())));
    }
    for (int i = 0; i < policies.size(); i++) {
      known.add(keyed(i).isPresent());
      before.add(tokens(i, System.nanoTime()));
      parentBefore.add(parentTokens(policies.get(i), System.nanoTime()));
    }
    return copy.run(frame);
  }

  private Optional<Long> keyed(int policy) {
    Placed placed = policies.get(policy);
    NodePolicy of = placed.policy();
    return of.per().isTabled()
        ? copy.keyed(placed.slot(), SlotIdentity.of(of, 0), keys.get(policy).encode(of))
        : Optional.empty();
  }

  private double tokens(int policy, long now) {
    Placed placed = policies.get(policy);
    NodePolicy of = placed.policy();
    AxisLine line = copy.line(placed.slot());
    Optional<Long> keyed = keyed(policy);
    if (keyed.isPresent()) {
      return TokenReading.tokens(of.unit(), line, keyed.get(), 0, now);
    }
    if (of.per().isTabled() && !isOverflow(policy)) {
      return TokenReading.tokens(of.unit(), line, 0, 0, now);
    }
    return sharedTokens(placed.slot(), of, now);
  }

  private Optional<Double> parentTokens(Placed placed, long now) {
    NodePolicy of = placed.policy();
    return of.parentLimit().map(limit -> sharedTokens(placed.parentSlot(), of, now));
  }

  private double sharedTokens(int slot, NodePolicy of, long now) {
    HookCopy.Shared shared = copy.shared(slot);
    return TokenReading.tokens(
        of.unit(), copy.line(slot), shared.position(), shared.reserved(), now);
  }

  private Sums counted(int policy) {
    return copy.counted(policies.get(policy).slot());
  }

  private boolean isOverflow(int policy) {
    return overflows.get(policy);
  }

  @Override
  public boolean isJudged(int policy) {
    return exceeds(policy) || counted(policy).of(VerdictCountersLayout.CONFORM_PACKETS) != 0;
  }

  @Override
  public boolean exceeds(int policy) {
    return counted(policy).of(VerdictCountersLayout.EXCEED_PACKETS) != 0;
  }

  @Override
  public boolean isMarked(int policy) {
    return counted(policy).of(VerdictCountersLayout.MARKED_PACKETS) != 0;
  }

  @Override
  public boolean isFailsafe() {
    return copy.failsafe().isPresent();
  }

  @Override
  public BucketState bucket(int policy) {
    NodePolicy of = policies.get(policy).policy();
    double held = before.get(policy);
    double cost = Explainer.cost(of.unit(), read);
    return new BucketState(
        keys.get(policy).text(BucketKey.Making.of(of)),
        of.per().isTabled() && !known.get(policy) && !isOverflow(policy),
        isOverflow(policy),
        held,
        cost,
        exceeds(policy) ? held : held - cost);
  }

  @Override
  public boolean isRefusedByParent(int policy) {
    return counted(policy).of(VerdictCountersLayout.PARENT_EXCEED_PACKETS) != 0;
  }

  @Override
  public Optional<BucketState> parent(int policy) {
    return parentBefore
        .get(policy)
        .map(
            held ->
                BucketState.ofAll(
                    held,
                    Explainer.cost(policies.get(policy).policy().unit(), read),
                    !exceeds(policy)));
  }
}
