// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.explain.Explanation.BucketState;
import java.util.Optional;

/**
 * The judgement of a hook that a packet does not reach, because a hook before it drops the packet.
 */
final class NotReachedJudgement implements Explainer.Judgement {
  @Override
  public boolean isJudged(int policy) {
    return false;
  }

  @Override
  public boolean exceeds(int policy) {
    return false;
  }

  @Override
  public boolean isMarked(int policy) {
    return false;
  }

  @Override
  public boolean isFailsafe() {
    return false;
  }

  @Override
  public BucketState bucket(int policy) {
    throw new IllegalStateException("no bucket judges a packet that a policy does not reach");
  }

  @Override
  public boolean isRefusedByParent(int policy) {
    return false;
  }

  @Override
  public Optional<BucketState> parent(int policy) {
    return Optional.empty();
  }
}
