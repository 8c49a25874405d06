package dev.tokenbucket.agent;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line {@code tb}. */
@Command(
    name = "tb",
    description = "Limits this host's traffic with token buckets in the kernel.",
    mixinStandardHelpOptions = true,
    version = "tb 0.1.0",
    subcommands = {AgentCommand.class, StatusCommand.class, CleanupCommand.class})
public final class TokenBucketCommand {
  private TokenBucketCommand() {}

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
