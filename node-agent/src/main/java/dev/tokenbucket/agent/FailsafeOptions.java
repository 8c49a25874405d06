package dev.tokenbucket.agent;

import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.match.FailsafeSettings.ApiServer;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What stays reachable whatever policies say, unless they disable it. */
final class FailsafeOptions {
  @Option(
      names = "--failsafe-peer",
      paramLabel = "CIDR",
      split = ",",
      description =
          "Networks of the cluster's nodes and control plane: with them kubelet and overlay stay"
              + " reachable.")
  private List<String> peers = List.of();

  @Option(
      names = "--failsafe-kubelet-port",
      paramLabel = "PORT",
      defaultValue = "" + FailsafeSettings.DEFAULT_KUBELET_PORT,
      description = "The kubelet's TCP port (default: ${DEFAULT-VALUE}).")
  private int kubeletPort;

  @Option(
      names = "--failsafe-api-server",
      paramLabel = "ADDRESS[:PORT]",
      split = ",",
      description =
          "A real address of the API server, not the service's (port: 6443 unless given).")
  private List<String> apiServers = List.of();

  @Option(
      names = "--failsafe-overlay-port",
      paramLabel = "PORT",
      split = ",",
      description = "A UDP port of the overlay: 4789 or 8472 for VXLAN, 6081 for Geneve.")
  private List<Integer> overlayPorts = List.of();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  /**
   * @throws ParameterException where an option's value is none; the message names it
   */
  FailsafeSettings settings() {
    try {
      return new FailsafeSettings(
          peers, kubeletPort, apiServers.stream().map(ApiServer::parse).toList(), overlayPorts);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
