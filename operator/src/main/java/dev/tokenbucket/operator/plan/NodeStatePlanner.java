package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one node is to run, from every policy there is, which of them are admitted, and what the
 * node was last given. Total and deterministic; the order of the policies does not matter.
 */
public final class NodeStatePlanner {
  /** What a node state's entries may take: 256 KiB less metadata, overlaps, failsafe, preflight. */
  static final int ROOM_BYTES = (256 - 32) * 1024;

  /** Kept free for the agent's answer to an entry. */
  static final int ANSWER_BYTES = 1024;

  private static final int MAX_OVERLAPS = 32;

  private final EntryFacts facts;

  public NodeStatePlanner(EntryFacts facts) {
    this.facts = facts;
  }

  /** An entry that a node is to have, and the one that stays where there is no room for it. */
  private record Candidate(NodePolicy wanted, @Nullable NodePolicy former) {
    static final Comparator<Candidate> ORDER =
        Comparator.comparing(Candidate::wanted, NodePolicy.ORDER);
  }

  /**
   * What a node runs once every rollout has come to its end.
   *
   * @param labels the node's
   */
  public NodePlan planAll(
      @Nullable Map<String, String> labels,
      Collection<? extends PolicyIntent> policies,
      List<NodePolicy> before) {
    return plan(labels, policies, before, uid -> true);
  }

  /**
   * Plans one node.
   *
   * @param labels the node's
   * @param before the entries that the node has now
   * @param admitted whether the node may have what the policy with this uid asks for now; a node
   *     that has it keeps it. What an operator of another version made of the same generation is
   *     another thing
   */
  public NodePlan plan(
      @Nullable Map<String, String> labels,
      Collection<? extends PolicyIntent> policies,
      List<NodePolicy> before,
      Predicate<String> admitted) {
    Map<String, NodePolicy> former = new HashMap<>();
    before.forEach(entry -> former.put(entry.uid(), entry));
    List<Candidate> candidates = new ArrayList<>();
    for (PolicyIntent policy : policies) {
      NodePolicy was = former.get(policy.uid());
      if (policy instanceof PolicyIntent.Enforced enforced && enforced.concerns(labels)) {
        NodePolicy now = enforced.entry();
        if (admitted.test(now.uid()) || now.equals(was)) {
          candidates.add(new Candidate(now, was));
        } else if (was != null) {
          candidates.add(new Candidate(was, null));
        }
      } else if (policy instanceof PolicyIntent.Refused && was != null) {
        candidates.add(new Candidate(was, null));
      }
    }
    return fit(candidates);
  }

  /** In the order in which they apply, so that the last ones are those without room. */
  private NodePlan fit(List<Candidate> candidates) {
    candidates.sort(Candidate.ORDER);
    List<NodePolicy> entries = new ArrayList<>();
    Set<String> withoutRoom = new HashSet<>();
    long left = ROOM_BYTES;
    for (Candidate candidate : candidates) {
      NodePolicy entry = candidate.wanted();
      if (bytes(entry) > left) {
        withoutRoom.add(entry.uid());
        entry = candidate.former();
      }
      if (entry != null && bytes(entry) <= left) {
        entries.add(entry);
        left -= bytes(entry);
      }
    }
    entries.sort(NodePolicy.ORDER);
    return new NodePlan(List.copyOf(entries), overlaps(entries), Set.copyOf(withoutRoom));
  }

  /** What an entry takes of a node state, the agent's answer included. */
  public int bytes(NodePolicy entry) {
    return facts.bytes(entry) + ANSWER_BYTES;
  }

  /** Whether entries of this size, as {@link #bytes} has it, have room for certain. */
  public static boolean haveRoom(long bytes) {
    return bytes <= ROOM_BYTES;
  }

  private List<String> overlaps(List<NodePolicy> entries) {
    List<String> pairs = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      for (int k = i + 1; k < entries.size(); k++) {
        if (pairs.size() == MAX_OVERLAPS) {
          return List.copyOf(pairs);
        }
        if (facts.overlap(entries.get(i), entries.get(k))) {
          pairs.add(entries.get(i).name() + " before " + entries.get(k).name());
        }
      }
    }
    return List.copyOf(pairs);
  }
}
