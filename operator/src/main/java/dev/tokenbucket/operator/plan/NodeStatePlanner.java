// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodeLimits;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Plans the policies that one node should run, from all policies, from the policies admitted on the
 * node, and from the entries that the node was last given. Total and deterministic; the order of
 * the policies does not matter.
 */
public final class NodeStatePlanner {
  /** Bytes kept free for the agent's answer to an entry. */
  static final int ANSWER_BYTES = 1024;

  private static final int MAX_OVERLAPS = 32;

  private final EntryFacts facts;

  public NodeStatePlanner(EntryFacts facts) {
    this.facts = facts;
  }

  /** An entry that a node should have, and the entry that stays if there is no room for it. */
  private record Candidate(NodePolicy wanted, @Nullable NodePolicy former) {
    static final Comparator<Candidate> ORDER =
        Comparator.comparing(Candidate::wanted, NodePolicy.ORDER);
  }

  /**
   * The node's policies once every rollout has completed.
   *
   * @param labels the node's labels
   * @param limits the node's limits
   */
  public NodePlan planAll(
      @Nullable Map<String, String> labels,
      Collection<? extends PolicyIntent> policies,
      List<NodePolicy> before,
      NodeLimits limits) {
    return plan(labels, policies, before, limits, uid -> true);
  }

  /**
   * Per uid, the policies that a node has no room for once every rollout has completed.
   *
   * @param policies the policies that concern the node
   */
  public Map<String, Refusal> refusals(
      Collection<PolicyIntent.Enforced> policies, NodeLimits limits) {
    return fit(
            policies.stream().map(policy -> new Candidate(policy.entry(), null)).toList(), limits)
        .refusals();
  }

  /**
   * Plans one node.
   *
   * @param labels the node's labels
   * @param before the entries that the node has now
   * @param limits how much the node's agent can hold
   * @param admitted whether the node may have the current generation of the policy with this uid; a
   *     node that has this generation keeps it. An entry that an operator of another version
   *     derived from the same generation is not the same
   */
  public NodePlan plan(
      @Nullable Map<String, String> labels,
      Collection<? extends PolicyIntent> policies,
      List<NodePolicy> before,
      NodeLimits limits,
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
    Fitted fitted = fit(candidates, limits);
    return new NodePlan(fitted.entries(), overlaps(fitted.entries()), fitted.refusals());
  }

  private record Fitted(List<NodePolicy> entries, Map<String, Refusal> refusals) {}

  /**
   * Fits the candidates in the order in which they apply, so that the last ones are left without
   * room.
   */
  private Fitted fit(List<Candidate> candidates, NodeLimits limits) {
    NodeLoad load = new NodeLoad(limits, this::bytes);
    Map<String, Refusal> refusals = new HashMap<>();
    candidates.stream()
        .sorted(Candidate.ORDER)
        .forEach(
            candidate -> {
              NodePolicy entry = candidate.wanted();
              Refusal refusal = load.refuses(entry).orElse(null);
              if (refusal != null) {
                refusals.put(entry.uid(), refusal);
                entry = candidate.former();
              }
              if (entry != null && (refusal == null || load.refuses(entry).isEmpty())) {
                load.add(entry);
              }
            });
    return new Fitted(
        load.entries().stream().sorted(NodePolicy.ORDER).toList(), Map.copyOf(refusals));
  }

  /** The bytes that an entry takes in a node state, including the agent's answer. */
  private int bytes(NodePolicy entry) {
    return facts.bytes(entry) + ANSWER_BYTES;
  }

  /** The most that the policies use on a node that has all of them. */
  public Demand demand(Collection<PolicyIntent.Enforced> policies) {
    long bytes = 0;
    int weight = 0;
    int terms = 0;
    long addressSetCidrs = 0;
    for (PolicyIntent.Enforced policy : policies) {
      bytes += bytes(policy.entry());
      weight += NodeLoad.weight(policy.entry());
      terms += NodeLoad.terms(policy.entry());
      addressSetCidrs += NodeLoad.addressSetCidrs(policy.entry());
    }
    return new Demand(bytes, weight, policies.size(), terms, addressSetCidrs);
  }

  /** The demand of all policies together, as if they were on one interface. */
  public record Demand(long bytes, int weight, int policies, int terms, long addressSetCidrs) {
    /** Whether a node is certain to have room, whichever of the policies it gets. */
    public boolean fits(NodeLimits limits) {
      return bytes <= NodeLoad.ROOM_BYTES
          && weight <= limits.policies()
          && policies <= limits.policiesPerHook()
          && terms <= limits.termsPerHook()
          && addressSetCidrs <= NodeLoad.ADDRESS_SET_CIDRS;
    }
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
