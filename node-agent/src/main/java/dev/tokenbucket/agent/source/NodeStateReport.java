// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.source;

import dev.tokenbucket.agent.program.HostLimits;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.BuildVersion;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.PolicyAttachment;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Builds a node state's status from what the kernel runs. Pure. */
public final class NodeStateReport {
  // The CRD's limits: a status beyond them would be refused as a whole.
  private static final int MAX_TEXT = 2048;
  private static final int MAX_FINDINGS = 64;
  private static final int MAX_EXEMPT = 1024;
  private static final int MAX_ATTACHMENTS = 4096;

  private NodeStateReport() {}

  private static String limited(String text) {
    return text.length() <= MAX_TEXT ? text : text.substring(0, MAX_TEXT - 1) + "…";
  }

  private static List<String> limited(List<String> lines, int most) {
    return lines.stream().limit(most).map(NodeStateReport::limited).toList();
  }

  private static @Nullable List<String> limited(@Nullable List<String> lines) {
    return lines == null ? null : limited(lines, lines.size());
  }

  /**
   * The status of a node state after it was applied.
   *
   * @param warnings by uid, what a user should know although a policy is in force
   * @param findings the preflight's findings
   */
  public static TokenBucketNodeStateStatus status(
      Applied applied,
      List<RunningHook> running,
      Map<String, List<String>> warnings,
      List<String> findings,
      Instant now) {
    DesiredState state = applied.state();
    List<NodePolicyStatus> entries = new ArrayList<>();
    Map<String, DesiredState.Unsupported> left = new TreeMap<>(state.unsupported());
    for (NodePolicy policy : state.policies()) {
      DesiredState.Unsupported unsupported = left.remove(policy.uid());
      entries.add(
          unsupported == null
              ? entry(policy, running, applied.failures(), warnings)
              : entry(policy.uid(), unsupported, running));
    }
    left.forEach((uid, unsupported) -> entries.add(entry(uid, unsupported, running)));
    long programmed = entries.stream().filter(NodePolicyStatus::programmed).count();
    return new TokenBucketNodeStateStatus(
        state.generation(),
        programmed + "/" + entries.size(),
        limited(findings, MAX_FINDINGS),
        entries,
        limited(applied.exempt(), MAX_EXEMPT),
        BuildVersion.current(),
        HostLimits.ALL,
        null,
        null,
        List.of(applied.repairs().condition(now)));
  }

  /**
   * The same status, with the time at which each policy entered its present state.
   *
   * @param before the last reported status, if there is one
   * @param now the time for policies whose state has changed
   */
  public static TokenBucketNodeStateStatus since(
      TokenBucketNodeStateStatus status, @Nullable TokenBucketNodeStateStatus before, String now) {
    Map<String, NodePolicyStatus> earlier = new HashMap<>();
    if (before != null && before.policies() != null) {
      before.policies().forEach(entry -> earlier.put(entry.uid(), entry));
    }
    List<NodePolicyStatus> entries = status.policies() == null ? List.of() : status.policies();
    return new TokenBucketNodeStateStatus(
        status.observedGeneration(),
        status.summary(),
        status.preflight(),
        entries.stream()
            .map(entry -> entry.since(time(entry, earlier.get(entry.uid()), now)))
            .toList(),
        status.exempt(),
        status.agentVersion(),
        status.limits(),
        status.bootID(),
        status.lastContactTime(),
        status.conditions());
  }

  private static String time(
      NodePolicyStatus entry, @Nullable NodePolicyStatus earlier, String now) {
    return earlier != null
            && earlier.lastTransitionTime() != null
            && earlier.programmed() == entry.programmed()
            && earlier.generation() == entry.generation()
        ? earlier.lastTransitionTime()
        : now;
  }

  /** A policy as found in the kernel. */
  private record Found(
      RunningHook.@Nullable RunningPolicy policy, List<PolicyAttachment> attachments) {
    static Found of(String uid, List<RunningHook> running) {
      return of(uid, false, running);
    }

    /**
     * @param ratePerInterface whether each attachment has its rate
     */
    static Found of(String uid, boolean ratePerInterface, List<RunningHook> running) {
      List<PolicyAttachment> attachments = new ArrayList<>();
      RunningHook.RunningPolicy found = null;
      for (RunningHook hook : running) {
        for (RunningHook.RunningPolicy each : hook.policies()) {
          if (each.uid().equals(uid)) {
            found = each;
            if (attachments.size() < MAX_ATTACHMENTS) {
              attachments.add(
                  new PolicyAttachment(
                      hook.interfaceName(),
                      hook.hook(),
                      hook.programId(),
                      ratePerInterface ? each.rateText() : null,
                      ratePerInterface ? each.burstText() : null));
            }
          }
        }
      }
      return new Found(found, attachments);
    }

    @Nullable String rateText() {
      return policy == null ? null : policy.rateText();
    }

    @Nullable String burstText() {
      return policy == null ? null : policy.burstText();
    }
  }

  private static NodePolicyStatus entry(
      NodePolicy policy,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings) {
    boolean ratePerInterface = policy.needsLinkSpeed();
    Found found = Found.of(policy.uid(), ratePerInterface, running);
    String failure = failures.get(policy.uid());
    boolean programmed =
        failure == null
            && found.policy() != null
            && found.policy().generation() == policy.generation();
    return new NodePolicyStatus(
        policy.name(),
        policy.uid(),
        policy.generation(),
        found.policy() == null ? 0 : found.policy().generation(),
        programmed,
        programmed ? null : failure == null ? Reasons.PENDING : Reasons.PROGRAMMING_FAILED,
        programmed ? null : failure == null ? "not found in the kernel yet" : limited(failure),
        ratePerInterface ? policy.tokenRate().text() : found.rateText(),
        ratePerInterface ? null : found.burstText(),
        found.attachments(),
        limited(warnings.get(policy.uid())),
        null);
  }

  private static NodePolicyStatus entry(
      String uid, DesiredState.Unsupported unsupported, List<RunningHook> running) {
    Found found = Found.of(uid, running);
    return new NodePolicyStatus(
        unsupported.name(),
        uid,
        unsupported.generation(),
        found.policy() == null ? 0 : found.policy().generation(),
        false,
        unsupported.reason(),
        limited(unsupported.message()),
        found.rateText(),
        found.burstText(),
        found.attachments(),
        null,
        null);
  }
}
