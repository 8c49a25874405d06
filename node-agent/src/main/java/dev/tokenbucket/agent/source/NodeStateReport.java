package dev.tokenbucket.agent.source;

import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.BuildVersion;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import dev.tokenbucket.api.v1alpha1.PolicyAttachment;
import dev.tokenbucket.api.v1alpha1.Reasons;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeStateStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a node state's status is to say of what the kernel runs. Pure. */
public final class NodeStateReport {
  private NodeStateReport() {}

  /**
   * The status of a node state after it was applied.
   *
   * @param warnings by uid, what a user should know though a policy is in force
   * @param findings of the preflight
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
        findings,
        entries,
        applied.exempt(),
        BuildVersion.current(),
        null,
        null,
        List.of(applied.repairs().condition(now)));
  }

  /** A policy as found in the kernel. */
  private record Found(
      RunningHook.@Nullable RunningPolicy policy, List<PolicyAttachment> attachments) {
    static Found of(String uid, List<RunningHook> running) {
      List<PolicyAttachment> attachments = new ArrayList<>();
      RunningHook.RunningPolicy found = null;
      for (RunningHook hook : running) {
        for (RunningHook.RunningPolicy each : hook.policies()) {
          if (each.uid().equals(uid)) {
            found = each;
            attachments.add(
                new PolicyAttachment(hook.interfaceName(), hook.hook(), hook.programId()));
          }
        }
      }
      return new Found(found, attachments);
    }
  }

  private static NodePolicyStatus entry(
      NodePolicy policy,
      List<RunningHook> running,
      Map<String, String> failures,
      Map<String, List<String>> warnings) {
    Found found = Found.of(policy.uid(), running);
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
        programmed ? null : failure == null ? "not found in the kernel yet" : failure,
        found.policy() == null ? null : found.policy().rateText(),
        found.policy() == null ? null : found.policy().burstText(),
        found.attachments(),
        warnings.get(policy.uid()));
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
        Reasons.UNSUPPORTED,
        unsupported.message(),
        found.policy() == null ? null : found.policy().rateText(),
        found.policy() == null ? null : found.policy().burstText(),
        found.attachments(),
        null);
  }
}
