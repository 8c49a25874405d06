// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.explain.Explanation.BucketState;
import dev.tokenbucket.agent.simulate.BucketKey;
import dev.tokenbucket.agent.simulate.PacketReport;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;
import java.util.Optional;

/** The judgement of policies whose buckets are full, because nothing has used them yet. */
record FullJudgement(List<NodePolicy> policies, PacketReport read) implements Explainer.Judgement {
  private boolean has(long bits, int policy) {
    return (bits >> policy & 1) != 0;
  }

  @Override
  public boolean isJudged(int policy) {
    return has(read.judged(), policy);
  }

  @Override
  public boolean exceeds(int policy) {
    return has(read.exceeded(), policy);
  }

  @Override
  public boolean isMarked(int policy) {
    return has(read.marked(), policy);
  }

  @Override
  public boolean isFailsafe() {
    return read.isFailsafe();
  }

  @Override
  public BucketState bucket(int policy) {
    NodePolicy of = policies.get(policy);
    BucketKey key = new BucketKey();
    key.set(of, read);
    double cost = Explainer.cost(of.unit(), read);
    return new BucketState(
        key.text(BucketKey.Making.of(of)),
        of.per().isTabled(),
        has(read.overflowed(), policy),
        of.burst(),
        cost,
        exceeds(policy) ? of.burst() : of.burst() - cost);
  }

  @Override
  public boolean isRefusedByParent(int policy) {
    return has(read.parentExceeded(), policy);
  }

  @Override
  public Optional<BucketState> parent(int policy) {
    NodePolicy of = policies.get(policy);
    double cost = Explainer.cost(of.unit(), read);
    return of.parentLimit()
        .map(limit -> BucketState.ofAll((double) limit.burst(), cost, !exceeds(policy)));
  }
}
