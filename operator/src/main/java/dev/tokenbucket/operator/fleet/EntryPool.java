// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.Overlap;
import dev.tokenbucket.operator.plan.EntryFacts;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Shares one instance of equal entries among many nodes, so that thousands of node states take
 * little more memory than one, and caches facts that planning asks for repeatedly.
 */
final class EntryPool implements EntryFacts {
  /** The characters kept of an agent's reason: a policy's status shows ten of them. */
  private static final int MAX_REASON = 64;

  private static final int MAX_MESSAGE = 512;

  private final EntryFacts computed = EntryFacts.computed();
  private final Map<NodePolicy, Pooled> entries = new WeakHashMap<>();
  private final Map<NodePolicyStatus, WeakReference<NodePolicyStatus>> answers =
      new WeakHashMap<>();
  private final Map<NodeFailsafe, WeakReference<NodeFailsafe>> failsafes = new WeakHashMap<>();
  private final Map<Pair, Boolean> overlaps = new ConcurrentHashMap<>();

  /**
   * The facts derived from an entry. The reference to the entry is weak, so that the entry can be
   * collected.
   */
  private static final class Pooled {
    final WeakReference<NodePolicy> entry;
    final int bytes;
    volatile @Nullable Overlap overlap;

    Pooled(NodePolicy entry, int bytes) {
      this.entry = new WeakReference<>(entry);
      this.bytes = bytes;
    }
  }

  private record Pair(String uid, long generation, String otherUid, long otherGeneration) {}

  synchronized NodePolicy intern(NodePolicy entry) {
    NodePolicy known = pooled(entry).entry.get();
    return known == null ? entry : known;
  }

  synchronized NodeFailsafe intern(NodeFailsafe failsafe) {
    WeakReference<NodeFailsafe> known =
        failsafes.computeIfAbsent(failsafe, WeakReference<NodeFailsafe>::new);
    NodeFailsafe there = known.get();
    return there == null ? failsafe : there;
  }

  @Override
  public synchronized int bytes(NodePolicy entry) {
    return pooled(entry).bytes;
  }

  private Pooled pooled(NodePolicy entry) {
    return entries.computeIfAbsent(entry, made -> new Pooled(made, computed.bytes(made)));
  }

  /**
   * Interns an answer without the parts that the operator does not read: interfaces, rates as
   * found, warnings.
   *
   * @param tried the generation of the entry that the answer refers to
   */
  synchronized NodePolicyStatus intern(NodePolicyStatus answer, @Nullable Long tried) {
    NodePolicyStatus small =
        new NodePolicyStatus(
            answer.name(),
            answer.uid(),
            tried,
            answer.generation(),
            answer.programmed(),
            shorten(answer.reason(), MAX_REASON),
            shorten(answer.message(), MAX_MESSAGE),
            null,
            null,
            List.of(),
            null,
            null);
    WeakReference<NodePolicyStatus> known = answers.get(small);
    NodePolicyStatus there = known == null ? null : known.get();
    if (there != null) {
      return there;
    }
    answers.put(small, new WeakReference<>(small));
    return small;
  }

  private static @Nullable String shorten(@Nullable String text, int most) {
    return text == null || text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }

  @Override
  public boolean overlap(NodePolicy a, NodePolicy b) {
    Pair pair = new Pair(a.uid(), a.generation(), b.uid(), b.generation());
    Boolean known = overlaps.get(pair);
    if (known == null) {
      known = prepared(a).with(prepared(b));
      overlaps.put(pair, known);
    }
    return known;
  }

  /** Runs without the lock: at the schema's limits, this takes a while. */
  private Overlap prepared(NodePolicy entry) {
    Pooled pooled;
    synchronized (this) {
      pooled = pooled(entry);
    }
    Overlap known = pooled.overlap;
    if (known == null) {
      known = Overlap.of(entry);
      pooled.overlap = known;
    }
    return known;
  }

  /** Forgets the overlaps of a policy that has changed. */
  void forgetOverlaps(String uid) {
    overlaps.keySet().removeIf(pair -> pair.uid().equals(uid) || pair.otherUid().equals(uid));
  }
}
