// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.rollout;

/** The state of the contact with a node's agent. */
public enum AgentContact {
  /** The agent reports for the node's current boot, and did so recently. */
  CURRENT,
  /** The agent has never reported on the existing node state. */
  NEVER,
  /** The agent has reported nothing for longer than a running agent would. */
  SILENT,
  /** The agent's last report is from an earlier boot of the node. */
  REBOOTED
}
