// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookSet.HookKey;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs that a policy whose parameters were written is programmed, once that is true: when every
 * hook of the policy has been read back with that generation. Not thread-safe.
 */
final class ProgrammedLog {
  private static final Logger LOG = LoggerFactory.getLogger(ProgrammedLog.class);

  /** Per uid, policies that are written and not yet read back. */
  private final Map<String, NodePolicy> unconfirmed = new LinkedHashMap<>();

  void written(NodePolicy policy) {
    unconfirmed.put(policy.uid(), policy);
  }

  /**
   * Logs the confirmed policies, and keeps the rest for the next call.
   *
   * @param hooks the hooks where each policy is wanted
   * @param failed uids that are not logged yet, whatever is read back
   * @param readBack called only if something is not yet confirmed
   */
  void confirm(
      Map<HookKey, List<NodePolicy>> hooks,
      Set<String> failed,
      Supplier<List<RunningHook>> readBack) {
    // A policy that no hook wants any more will not be read back.
    unconfirmed
        .values()
        .removeIf(policy -> hooks.values().stream().noneMatch(on -> on.contains(policy)));
    if (failed.containsAll(unconfirmed.keySet())) {
      return;
    }
    List<RunningHook> running = readBack.get();
    List<NodePolicy> confirmed =
        unconfirmed.values().stream()
            .filter(policy -> !failed.contains(policy.uid()))
            .filter(policy -> isRunning(policy, hooks, running))
            .toList();
    for (NodePolicy policy : confirmed) {
      unconfirmed.remove(policy.uid());
      String rate = policy.tokenRate().text();
      String burst = policy.unit().burstText(policy.burst());
      LOG.atInfo()
          .addKeyValue("policy", policy.name())
          .addKeyValue("generation", policy.generation())
          .addKeyValue("rate", rate)
          .addKeyValue("burst", burst)
          .log(
              "programmed {} generation {}: {}{}",
              policy.name(),
              policy.generation(),
              policy.limit().text(),
              policy.parentLimit().map(limit -> "; in all " + limit.text()).orElse(""));
    }
  }

  private static boolean isRunning(
      NodePolicy policy, Map<HookKey, List<NodePolicy>> hooks, List<RunningHook> running) {
    List<HookKey> wanted =
        hooks.entrySet().stream()
            .filter(hook -> hook.getValue().contains(policy))
            .map(Map.Entry::getKey)
            .toList();
    return wanted.stream()
        .allMatch(hook -> running.stream().anyMatch(each -> runs(each, hook, policy)));
  }

  private static boolean runs(RunningHook running, HookKey hook, NodePolicy policy) {
    return running.interfaceName().equals(hook.interfaceName())
        && running.direction() == hook.direction()
        && running.policies().stream()
            .anyMatch(
                each ->
                    each.uid().equals(policy.uid()) && each.generation() == policy.generation());
  }
}
