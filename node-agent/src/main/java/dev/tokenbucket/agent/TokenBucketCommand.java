// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent;

import dev.tokenbucket.agent.cli.AgentCommand;
import dev.tokenbucket.agent.cli.CheckCommand;
import dev.tokenbucket.agent.cli.CleanupCommand;
import dev.tokenbucket.agent.cli.CompletionCommand;
import dev.tokenbucket.agent.cli.ExplainCommand;
import dev.tokenbucket.agent.cli.LogLevelCommand;
import dev.tokenbucket.agent.cli.ObserveCommand;
import dev.tokenbucket.agent.cli.ReplayCommand;
import dev.tokenbucket.agent.cli.StatusCommand;
import dev.tokenbucket.agent.cli.SuggestCommand;
import dev.tokenbucket.agent.cli.TopCommand;
import dev.tokenbucket.agent.cli.ValidateCommand;
import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.probe.AwaitDaemonSetCommand;
import dev.tokenbucket.agent.probe.HoldCommand;
import dev.tokenbucket.agent.probe.ProbeCommand;
import dev.tokenbucket.api.BuildVersion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ScopeType;

/** The command line {@code tb}. */
@Command(
    name = "tb",
    description = "Limits this host's traffic with token buckets in the kernel.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = TokenBucketCommand.Version.class,
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed; the message says why",
      "2:the command line is wrong",
      "3:no hook on this host runs a Tokenbucket program (status)",
      "4:the only Tokenbucket programs here are those of an agent of another version" + " (status)",
      "5:a capability is missing",
      "6:--bpffs is not on a BPF file system (status)",
      "7:an agent already runs with this --bpffs or --state-dir (agent, cleanup)"
    },
    subcommands = {
      AgentCommand.class,
      StatusCommand.class,
      CheckCommand.class,
      ValidateCommand.class,
      CleanupCommand.class,
      ExplainCommand.class,
      ObserveCommand.class,
      ReplayCommand.class,
      SuggestCommand.class,
      TopCommand.class,
      LogLevelCommand.class,
      CompletionCommand.class,
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
          command.getErr().println("tb " + command.getCommandName() + ": " + Reason.of(e));
          return (e instanceof CommandFailure failure ? failure.exit() : Exit.FAILED).code();
        });
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    System.exit(commandLine.execute(arguments));
  }
}
