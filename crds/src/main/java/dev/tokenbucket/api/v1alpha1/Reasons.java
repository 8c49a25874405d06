package dev.tokenbucket.api.v1alpha1;

/** The types of conditions, and every reason that a condition or a node's entry has. */
public final class Reasons {
  /** Condition: the policy is valid and has been handed to the nodes it concerns. */
  public static final String ACCEPTED = "Accepted";

  /** Condition: every node concerned, and no other, enforces the policy's current generation. */
  public static final String PROGRAMMED = "Programmed";

  /** Condition: some node failed; what it last enforced stays in force there. */
  public static final String DEGRADED = "Degraded";

  /** Accepted is True. */
  public static final String VALID = "Valid";

  /** Accepted is False: the spec breaks a rule; nodes stay at the last valid generation. */
  public static final String INVALID = "Invalid";

  /**
   * Accepted is False: some nodes' node states would exceed their size; those nodes keep what they
   * have of the policy.
   */
  public static final String NODE_STATE_TOO_LARGE = "NodeStateTooLarge";

  /** Programmed is True. */
  public static final String ALL_NODES_PROGRAMMED = "AllNodesProgrammed";

  /** Programmed is False: {@code nodeSelector} matches no node. */
  public static final String NO_NODE_SELECTED = "NoNodeSelected";

  /** Programmed is False, or a node's entry is not in force: nodes have yet to report. */
  public static final String PENDING = "Pending";

  /** Programmed is False: {@code rollout.pause} keeps nodes at an earlier generation. */
  public static final String ROLLOUT_PAUSED = "RolloutPaused";

  /**
   * Degraded is True and Programmed is False: more nodes failed than {@code rollout.maxFailures};
   * the nodes not reached keep the generation they have.
   */
  public static final String ROLLOUT_HALTED = "RolloutHalted";

  /** Degraded is True and Programmed is False: nodes reported a failure. */
  public static final String NODES_FAILED = "NodesFailed";

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
