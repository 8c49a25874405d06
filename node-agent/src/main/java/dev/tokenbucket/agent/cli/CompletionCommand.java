// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints a script that makes a shell complete {@code tb}'s commands and options. */
@Command(
    name = "completion",
    description = "Prints a completion script for bash and zsh; source <(tb completion) loads it.")
public final class CompletionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(AutoComplete.bash("tb", spec.root().commandLine()));
    out.flush();
    return CommandFailure.Exit.OK.code();
  }
}
