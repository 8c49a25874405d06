// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.explain;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.simulate.SimulatedHook;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodeMatchTerm;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which terms hold for a packet, according to the classifier itself. The probe runs the classifier
 * with one policy per term, so that an unreadable field counts as it does on a hook.
 */
final class TermProbe {
  private final Kernel kernel;
  private final byte[] object;
  private final Direction direction;
  private final boolean ethernet;
  private final byte[] frame;

  /**
   * @param object the bytes of replay.bpf.o
   */
  TermProbe(Kernel kernel, byte[] object, Direction direction, boolean ethernet, byte[] frame) {
    this.kernel = kernel;
    this.object = object;
    this.direction = direction;
    this.ethernet = ethernet;
    this.frame = frame;
  }

  /** A term of a policy, and a policy with only this term. */
  private record Asked(int policy, boolean exempts, int term, NodePolicy alone) {}

  /**
   * The first terms that hold, per policy: of match[] and of exempt[].
   *
   * @param match without an entry if no term holds
   * @param exempt without an entry if no term holds
   */
  record Holding(Map<Integer, Integer> match, Map<Integer, Integer> exempt) {}

  /** Probes every term of these policies, as many at a time as a hook has room for. */
  Holding of(List<NodePolicy> policies) {
    List<Asked> asked = asked(policies);
    Map<Integer, Integer> match = new HashMap<>();
    Map<Integer, Integer> exempt = new HashMap<>();
    for (int from = 0; from < asked.size(); from += HookConfiguration.MAX_POLICIES) {
      int to = Math.min(asked.size(), from + HookConfiguration.MAX_POLICIES);
      long judged = matched(asked.subList(from, to).stream().map(Asked::alone).toList());
      for (int i = from; i < to; i++) {
        Asked each = asked.get(i);
        // A policy with a term of exempt[] judges the packets that the term does not hold for.
        if (isSet(judged, i - from) != each.exempts()) {
          (each.exempts() ? exempt : match).putIfAbsent(each.policy(), each.term());
        }
      }
    }
    return new Holding(match, exempt);
  }

  private static boolean isSet(long bits, int bit) {
    return (bits >> bit & 1) != 0;
  }

  private List<Asked> asked(List<NodePolicy> policies) {
    List<Asked> asked = new ArrayList<>();
    for (int i = 0; i < policies.size(); i++) {
      List<NodeMatchTerm> match = policies.get(i).match();
      for (int term = 0; term < match.size(); term++) {
        asked.add(new Asked(i, false, term, policy(List.of(match.get(term)), List.of())));
      }
      List<NodeMatchTerm> exempt = policies.get(i).exempt();
      for (int term = 0; term < exempt.size(); term++) {
        asked.add(new Asked(i, true, term, policy(List.of(), List.of(exempt.get(term)))));
      }
    }
    return asked;
  }

  private long matched(List<NodePolicy> policies) {
    try (SimulatedHook hook =
        new SimulatedHook(
            kernel, object, direction, ethernet, policies, FailsafeSettings.LINK_ONLY)) {
      return hook.run(frame, 0, frame.length, frame.length, SimulatedHook.START).matched();
    }
  }

  private NodePolicy policy(List<NodeMatchTerm> match, List<NodeMatchTerm> exempt) {
    return new NodePolicy(
        "term",
        "term",
        1,
        List.of(),
        direction,
        null,
        0,
        match,
        exempt,
        Failsafe.Disabled,
        BucketPer.Node,
        1,
        OnFull.ShareBucket,
        0,
        0,
        RateUnit.Packets,
        1,
        null,
        1,
        null,
        ExceedAction.Drop,
        null,
        Mode.Audit);
  }
}
