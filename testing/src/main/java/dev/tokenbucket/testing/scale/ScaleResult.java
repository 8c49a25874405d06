package dev.tokenbucket.testing.scale;

import java.util.List;

/**
 * What was measured.
 *
 * @param machine processors and kernel
 */
record ScaleResult(String machine, List<Size> sizes) {
  /**
   * One number of nodes.
   *
   * @param entriesPerNode how many policies select a node
   * @param idle the operator's memory over an empty cluster
   * @param applied all policies at once
   * @param changed the rate of one policy that selects every node
   * @param relabelled every node, from one group to the next
   * @param rssAtEnd the operator's, with everything in place
   * @param restartSeconds from the start of the operator's process until it has nothing to do
   * @param restartWrites what it wrote meanwhile
   * @param steadySeconds for how long nothing was done
   * @param steadyWrites what was written meanwhile
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
   * A change, from the start of the kubectl that made it.
   *
   * @param lastNodeSeconds until the last node's status had it
   * @param programmedSeconds until the last policy was Programmed=True
   * @param writes all of them
   * @param nodeWrites of a node's spec, for each change of what it is to run
   * @param statusWrites of its status, likewise
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
