// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.log.LogLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/**
 * Changes the log level of the running agent; an agent that starts uses the level of its
 * environment again.
 */
@Command(name = "log-level", description = "Changes the log level of the running agent.")
public final class LogLevelCommand implements Callable<Integer> {
  @Mixin private HostOptions host = new HostOptions();

  @Parameters(paramLabel = "LEVEL", description = "${COMPLETION-CANDIDATES}.")
  private LogLevel level = LogLevel.INFO;

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(host.stateDir)) {
      throw new IOException(
          "--state-dir " + host.stateDir + " is not a folder: no agent has run with it");
    }
    Optional<String> problem = StateFiles.LOG_LEVEL.write(host.stateDir, level.name());
    if (problem.isPresent()) {
      throw new IOException(problem.get());
    }
    return Exit.OK.code();
  }
}
