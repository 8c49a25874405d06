package dev.tokenbucket.operator.plan;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one node is to run, from every policy there is and what the node was last given. Total and
 * deterministic; the order of the policies does not matter.
 */
public final class NodeStatePlanner {
  private NodeStatePlanner() {}

  /**
   * Plans one node.
   *
   * @param labels the node's
   * @param before the entries that the node has now
   * @return the entries that it is to have, in the order in which they apply
   */
  public static List<NodePolicy> plan(
      @Nullable Map<String, String> labels,
      Collection<PolicyIntent> policies,
      List<NodePolicy> before) {
    List<NodePolicy> entries = new ArrayList<>();
    for (PolicyIntent policy : policies) {
      if (policy instanceof PolicyIntent.Enforced enforced && enforced.concerns(labels)) {
        entries.add(enforced.entry());
      } else if (policy instanceof PolicyIntent.Refused refused) {
        before.stream().filter(entry -> entry.uid().equals(refused.uid())).forEach(entries::add);
      }
    }
    entries.sort(NodePolicy.ORDER);
    return List.copyOf(entries);
  }
}
