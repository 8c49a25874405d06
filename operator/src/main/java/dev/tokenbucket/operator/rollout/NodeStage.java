// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

/** The progress of one node with a policy's current generation. */
public enum NodeStage {
  /** The node has an earlier generation with the same content: a new number changes nothing. */
  UNCHANGED,
  /** The node has an earlier generation, or none, and waits for the gate. */
  WAITING,
  /** Like {@link #WAITING}, but the node's kernel has yet to confirm the earlier generation. */
  UNSETTLED,
  /** The node was given this generation, and its kernel has yet to confirm it. */
  CHANGING,
  /** The node's kernel runs this generation, but not for long enough to let the next node on. */
  SETTLING,
  /** The node's kernel runs this generation, as its agent read back. */
  DONE,
  /** The node was given this generation, and its agent reported that it could not program it. */
  FAILED,
  /** The node was given this generation, and has not confirmed it within the deadline. */
  OVERDUE,
  /** The node was given this generation, and has gone away or fallen silent since. */
  LOST,
  /** The node can't be reached, and has yet to be given this generation. */
  AWAY,
  /** The node is Ready, but no agent answers: the rollout does not wait for it. */
  NO_AGENT,
  /** There is no room for this generation, in the node state or in the node's kernel. */
  REFUSED;

  /**
   * Whether the gate lists this stage's nodes by name; it only counts the nodes of other stages.
   */
  boolean listed() {
    return this != DONE && this != AWAY;
  }
}
