// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.BpfFileSystem;
import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.Preflight;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The folders of this host's pins and files; the same options for every command. */
public final class HostOptions {
  @Option(
      names = "--bpffs",
      paramLabel = "PATH",
      defaultValue = "/sys/fs/bpf",
      description =
          "A folder on a BPF file system, which is mounted if it is missing (default:"
              + " ${DEFAULT-VALUE}).")
  Path bpffs = Path.of("/sys/fs/bpf");

  @Option(
      names = "--state-dir",
      paramLabel = "PATH",
      defaultValue = "/var/lib/tokenbucket",
      description =
          "A folder for compiled programs and the last good state (default: ${DEFAULT-VALUE}).")
  Path stateDir = Path.of("/var/lib/tokenbucket");

  /**
   * Requires the rights and the file system that reading this host's pins needs.
   *
   * @throws CommandFailure naming what is missing, with the exit code for it
   */
  void requireReadablePins() throws IOException {
    Preflight.requireCapabilities();
    if (!BpfFileSystem.isBpf(bpffs)) {
      throw new CommandFailure(
          Exit.NO_BPFFS,
          "--bpffs %s is not on a BPF file system; name the folder that the agent uses"
              .formatted(bpffs));
    }
  }
}
