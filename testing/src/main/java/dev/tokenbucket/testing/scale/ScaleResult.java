// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.scale;

import java.util.List;

/**
 * The results of a measurement.
 *
 * @param machine processors and kernel
 */
record ScaleResult(String machine, List<Size> sizes) {
  /**
   * The results for one number of nodes.
   *
   * @param entriesPerNode how many policies select a node
   * @param idle the operator's memory with an empty cluster
   * @param applied the change that applies all policies at once
   * @param changed the change of the rate of one policy that selects every node
   * @param relabelled the change that moves every node from one group to the next
   * @param rssAtEnd the operator's memory with everything in place
   * @param restartSeconds the time from the start of the operator's process until it has nothing to
   *     do
   * @param restartWrites all writes in that time
   * @param steadySeconds the length of the time without changes
   * @param steadyWrites all writes in that time
   */
  record Size(
      int nodes,
      int policies,
      double entriesPerNode,
      double idle,
      Change applied,
      Change changed,
      Change relabelled,
      double rssAtEnd,
      double rssPeak,
      double restartSeconds,
      Writes restartWrites,
      long steadySeconds,
      Writes steadyWrites) {}

  /**
   * A change. Times count from the start of the kubectl that made it.
   *
   * @param lastNodeSeconds until the last node's status had the change
   * @param programmedSeconds until the last policy was Programmed=True
   * @param writes all writes
   * @param nodeWrites writes of node states' specs, per node and change of what the node is to run
   * @param statusWrites writes of node states' statuses, per node and change of what the node is to
   *     run
   * @param apiServerCpu seconds
   * @param etcdCpu seconds
   * @param operatorCpu seconds
   */
  record Change(
      double lastNodeSeconds,
      double programmedSeconds,
      Writes writes,
      double nodeWrites,
      double statusWrites,
      double apiServerCpu,
      double etcdCpu,
      double operatorCpu) {}
}
