package dev.tokenbucket.operator.rollout;

/** How far one node is with a policy's current generation. */
public enum NodeStage {
  /** It has an earlier generation that asks for the very same: a new number changes nothing. */
  UNCHANGED,
  /** It has an earlier generation, or none, and waits for the gate. */
  WAITING,
  /** As {@link #WAITING}, but its kernel has yet to confirm the earlier generation. */
  UNSETTLED,
  /** It was given this generation, and its kernel has yet to confirm it. */
  CHANGING,
  /** Its kernel runs this generation, but not for long enough yet to let the next one on. */
  SETTLING,
  /** Its kernel runs this generation, as its agent read back. */
  DONE,
  /** It was given this generation, and its agent reported that it could not program it. */
  FAILED,
  /** It was given this generation, and has not confirmed it within the deadline. */
  OVERDUE,
  /** It was given this generation, and has gone away or fallen silent since. */
  LOST,
  /** It can't be reached, and has yet to be given this generation. */
  AWAY,
  /** It is Ready, but no agent answers: nothing is to be waited for. */
  NO_AGENT,
  /** It has no room for this generation, in its node state or in its kernel. */
  REFUSED;

  /** Whether its nodes are asked for by name; the other stages are counted only. */
  boolean listed() {
    return this != DONE && this != AWAY;
  }
}
