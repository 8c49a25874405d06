package dev.tokenbucket.api.v1alpha1;

/** The types of conditions, and every reason that a condition or a node's entry has. */
public final class Reasons {
  /** Condition: the policy is valid and has been handed to the nodes it concerns. */
  public static final String ACCEPTED = "Accepted";

  /** Condition: every node concerned, and no other, enforces the policy's current generation. */
  public static final String PROGRAMMED = "Programmed";

  /** Condition: some node failed; what it last enforced stays in force there. */
  public static final String DEGRADED = "Degraded";

  /**
   * Condition: as kstatus, Helm, Flux and Argo CD understand it: the policy's current generation
   * has come to where it is to be.
   */
  public static final String READY = "Ready";

  /** Condition, there only where it is True: the policy is on its way. */
  public static final String RECONCILING = "Reconciling";

  /** Condition, there only where it is True: it goes no further by itself. */
  public static final String STALLED = "Stalled";

  /** Accepted is True. */
  public static final String VALID = "Valid";

  /** Accepted is False: the spec breaks a rule; nodes stay at the last valid generation. */
  public static final String INVALID = "Invalid";

  /**
   * Accepted is False, and a failed node's reason: its node state would exceed its size; it keeps
   * what it has of the policy.
   */
  public static final String NODE_STATE_TOO_LARGE = "NodeStateTooLarge";

  /**
   * Accepted is False, and a failed node's reason: with the policy it would have more policies or
   * terms than its agent can hold; it keeps those that come first in order.
   */
  public static final String NODE_LIMIT_EXCEEDED = "NodeLimitExceeded";

  /** Programmed is True. */
  public static final String ALL_NODES_PROGRAMMED = "AllNodesProgrammed";

  /**
   * Programmed is False: {@code expiresAt} has come, so that no node is to have the policy. Ready
   * is True for this reason once none has.
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
   * the nodes not reached keep the generation they have.
   */
  public static final String ROLLOUT_HALTED = "RolloutHalted";

  /** Degraded is True and Programmed is False: nodes reported a failure. */
  public static final String NODES_FAILED = "NodesFailed";

  /**
   * Programmed is False and Degraded is True: on some nodes no agent answers. They hold no rollout
   * up, and are given the policy when their agent is there.
   */
  public static final String NO_AGENT = "NoAgent";

  /**
   * Programmed is Unknown: nodes have rebooted or gone away since they confirmed, or their agents
   * have fallen silent.
   */
  public static final String NODES_UNKNOWN = "NodesUnknown";

  /** A failed node: it is not Ready since it was given the generation. */
  public static final String NODE_NOT_READY = "NodeNotReady";

  /** A failed node: it has rebooted since, and its agent has yet to report. */
  public static final String NODE_REBOOTED = "NodeRebooted";

  /** A failed node: its agent has fallen silent since it was given the generation. */
  public static final String AGENT_SILENT = "AgentSilent";

  /** A failed node: it has not confirmed within {@code rollout.progressDeadlineSeconds}. */
  public static final String PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded";

  /** Degraded is False. */
  public static final String AS_EXPECTED = "AsExpected";

  /** A node's entry: the kernel or the host refused it; the entry's message says what to do. */
  public static final String PROGRAMMING_FAILED = "ProgrammingFailed";

  /**
   * A node's entry: it has a field or a value that this agent's version does not know; what it last
   * enforced of the policy stays in force, and the entry's message names field and value.
   */
  public static final String UNSUPPORTED = "Unsupported";

  /**
   * Condition of a node state: a short while ago the kernel did not run what the agent had left,
   * and the agent put it right. Its reason where it is True, too.
   */
  public static final String REPAIRED = "Repaired";

  /** Repaired is False: nothing has interfered with what the agent left. */
  public static final String UNDISTURBED = "Undisturbed";

  /** Event: a deletion did not wait for nodes that are gone or have not been Ready for long. */
  public static final String NODES_NOT_AWAITED = "NodesNotAwaited";

  private Reasons() {}
}
