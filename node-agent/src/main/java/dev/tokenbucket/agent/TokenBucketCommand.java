package dev.tokenbucket.agent;

import dev.tokenbucket.agent.probe.AwaitDaemonSetCommand;
import dev.tokenbucket.agent.probe.HoldCommand;
import dev.tokenbucket.agent.probe.ProbeCommand;
import dev.tokenbucket.api.BuildVersion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The command line {@code tb}. */
@Command(
    name = "tb",
    description = "Limits this host's traffic with token buckets in the kernel.",
    mixinStandardHelpOptions = true,
    versionProvider = TokenBucketCommand.Version.class,
    subcommands = {
      AgentCommand.class,
      StatusCommand.class,
      CleanupCommand.class,
      ProbeCommand.class,
      HoldCommand.class,
      AwaitDaemonSetCommand.class
    })
public final class TokenBucketCommand {
  private TokenBucketCommand() {}

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"tb " + BuildVersion.current()};
    }
  }

  public static void main(String[] arguments) {
    CommandLine commandLine = new CommandLine(new TokenBucketCommand());
    commandLine.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          command.getErr().println("tb " + command.getCommandName() + ": " + e.getMessage());
          return CommandLine.ExitCode.SOFTWARE;
        });
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(commandLine.execute(arguments));
  }
}
