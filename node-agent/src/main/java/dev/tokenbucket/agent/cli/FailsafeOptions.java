// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeSettings.ApiServer;
import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The traffic that stays reachable whatever policies say, unless they disable the failsafe. */
public final class FailsafeOptions {
  @Option(
      names = "--failsafe-peer",
      paramLabel = "CIDR",
      split = ",",
      description =
          "Networks of the cluster's nodes and control plane; traffic with them keeps"
              + " kubelet and overlay reachable.")
  private @Nullable List<String> peers;

  @Option(
      names = "--failsafe-kubelet-port",
      paramLabel = "PORT",
      description = "The kubelet's TCP port (default: the port in the node state, else 10250).")
  private @Nullable Integer kubeletPort;

  @Option(
      names = "--failsafe-api-server",
      paramLabel = "ADDRESS[:PORT]",
      split = ",",
      description =
          "A real address of the API server, not the service's (port: 6443 unless given).")
  private @Nullable List<String> apiServers;

  @Option(
      names = "--failsafe-overlay-port",
      paramLabel = "PORT",
      split = ",",
      description = "A UDP port of the overlay: 4789 or 8472 for VXLAN, 6081 for Geneve.")
  private @Nullable List<Integer> overlayPorts;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  /**
   * The settings, field by field from the options, or else from the node state.
   *
   * @throws ParameterException if an option's value is invalid; the message names it
   * @throws IllegalArgumentException if the node state's value is invalid
   */
  public FailsafeSettings settings(@Nullable NodeFailsafe byNodeState) {
    NodeFailsafe fromNodeState =
        byNodeState == null ? new NodeFailsafe(List.of(), null, List.of(), List.of()) : byNodeState;
    try {
      return new FailsafeSettings(
          peers == null ? fromNodeState.peers() : peers,
          port(kubeletPort == null ? fromNodeState.kubeletPort() : kubeletPort),
          (apiServers == null ? fromNodeState.apiServers() : apiServers)
              .stream().map(ApiServer::parse).toList(),
          overlayPorts == null ? fromNodeState.overlayPorts() : overlayPorts);
    } catch (IllegalArgumentException e) {
      if (byNodeState != null) {
        throw e;
      }
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private static int port(@Nullable Integer given) {
    return given == null ? FailsafeSettings.DEFAULT_KUBELET_PORT : given;
  }
}
