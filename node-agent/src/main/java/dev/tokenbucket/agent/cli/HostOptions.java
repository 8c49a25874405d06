package dev.tokenbucket.agent.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where this host's pins and files are; the same for every command. */
public final class HostOptions {
  @Option(
      names = "--bpffs",
      paramLabel = "PATH",
      defaultValue = "/sys/fs/bpf",
      description =
          "A folder on a BPF file system, mounted if need be (default: ${DEFAULT-VALUE}).")
  Path bpffs = Path.of("/sys/fs/bpf");

  @Option(
      names = "--state-dir",
      paramLabel = "PATH",
      defaultValue = "/var/lib/tokenbucket",
      description =
          "A folder for compiled programs and the last good state (default: ${DEFAULT-VALUE}).")
  Path stateDir = Path.of("/var/lib/tokenbucket");
}
