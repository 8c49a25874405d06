// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

/** The condition types, and every reason of a condition or of a node's entry. */
public final class Reasons {
  /** Condition: the policy is valid and has been handed to the nodes it concerns. */
  public static final String ACCEPTED = "Accepted";

  /** Condition: every node concerned, and no other, enforces the policy's current generation. */
  public static final String PROGRAMMED = "Programmed";

  /** Condition: some node failed; the node's last enforced generation stays in force. */
  public static final String DEGRADED = "Degraded";

  /**
   * Condition, in the sense of kstatus, Helm, Flux and Argo CD: the policy's current generation has
   * reached every node that should have it.
   */
  public static final String READY = "Ready";

  /** Condition, present only if True: the policy is in progress. */
  public static final String RECONCILING = "Reconciling";

  /** Condition, present only if True: the policy makes no further progress without intervention. */
  public static final String STALLED = "Stalled";

  /** Accepted is True. */
  public static final String VALID = "Valid";

  /** Accepted is False: the spec breaks a rule; nodes stay at the last valid generation. */
  public static final String INVALID = "Invalid";

  /**
   * Accepted is False: the policy names an address set that does not exist; nodes keep what they
   * have of the policy.
   */
  public static final String ADDRESS_SET_NOT_FOUND = "AddressSetNotFound";

  /**
   * Accepted is False, and a failed node's reason: the node state would exceed its maximum size;
   * the node keeps its earlier generation of the policy, if any.
   */
  public static final String NODE_STATE_TOO_LARGE = "NodeStateTooLarge";

  /**
   * Accepted is False, and a failed node's reason: with the policy, the node would have more
   * policies or terms than its agent can hold; the node keeps the policies that come first in
   * order.
   */
  public static final String NODE_LIMIT_EXCEEDED = "NodeLimitExceeded";

  /** Programmed is True. */
  public static final String ALL_NODES_PROGRAMMED = "AllNodesProgrammed";

  /**
   * Programmed is False: {@code expiresAt} has passed, so no node should have the policy. Ready is
   * True for this reason once no node has it.
   */
  public static final String EXPIRED = "Expired";

  /** Programmed is False: {@code nodeSelector} matches no node. */
  public static final String NO_NODE_SELECTED = "NoNodeSelected";

  /** Programmed is False, or a node's entry is not in force: nodes have yet to report. */
  public static final String PENDING = "Pending";

  /** Programmed is False: {@code rollout.paused} keeps nodes at an earlier generation. */
  public static final String ROLLOUT_PAUSED = "RolloutPaused";

  /**
   * Degraded is True and Programmed is False: more nodes failed than {@code rollout.maxFailures};
   * the nodes not reached keep their generation.
   */
  public static final String ROLLOUT_HALTED = "RolloutHalted";

  /** Degraded is True and Programmed is False: nodes reported a failure. */
  public static final String NODES_FAILED = "NodesFailed";

  /**
   * Programmed is False and Degraded is True: no agent answers on some nodes. Such nodes do not
   * hold up the rollout, and get the policy when their agent answers.
   */
  public static final String NO_AGENT = "NoAgent";

  /**
   * Programmed is Unknown: nodes have rebooted or gone away since they confirmed, or their agents
   * have fallen silent.
   */
  public static final String NODES_UNKNOWN = "NodesUnknown";

  /** A failed node: the node is not Ready since it was given the generation. */
  public static final String NODE_NOT_READY = "NodeNotReady";

  /**
   * A failed node: the node has rebooted since it was given the generation, and its agent has yet
   * to report.
   */
  public static final String NODE_REBOOTED = "NodeRebooted";

  /** A failed node: the agent has fallen silent since the node was given the generation. */
  public static final String AGENT_SILENT = "AgentSilent";

  /** A failed node: the node has not confirmed within {@code rollout.progressDeadlineSeconds}. */
  public static final String PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded";

  /** Degraded is False. */
  public static final String AS_EXPECTED = "AsExpected";

  /** A node's entry: the kernel or the host refused it; the entry's message says what to do. */
  public static final String PROGRAMMING_FAILED = "ProgrammingFailed";

  /**
   * A node's entry: the entry has a field or a value that this agent's version does not know. The
   * last enforced generation of the policy stays in force, and the entry's message names field and
   * value.
   */
  public static final String UNSUPPORTED = "Unsupported";

  /**
   * Condition of a node state: a short while ago, the kernel did not run what the agent had left
   * there, and the agent repaired it. Also the condition's reason if it is True.
   */
  public static final String REPAIRED = "Repaired";

  /** Repaired is False: nothing has changed the agent's state in the kernel. */
  public static final String UNDISTURBED = "Undisturbed";

  /** Event: a deletion did not wait for nodes that are gone or have not been Ready for long. */
  public static final String NODES_NOT_AWAITED = "NodesNotAwaited";

  private Reasons() {}
}
