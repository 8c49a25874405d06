package dev.tokenbucket.operator.rollout;

/** What is known of a node's agent. */
public enum AgentContact {
  /** It tells of this boot of the node, and has done so a while ago at most. */
  CURRENT,
  /** It has never said anything of the node state that is there. */
  NEVER,
  /** It has said nothing for longer than an agent that runs would. */
  SILENT,
  /** What it said last is of an earlier boot of the node. */
  REBOOTED
}
