// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.files.FileTrees;
import dev.tokenbucket.agent.host.AgentLock;
import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.Preflight;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.log.Reason;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.program.RunningHook;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Removes everything of Tokenbucket from this host: hooks, programs, maps, pins, files. */
@Command(
    name = "cleanup",
    description =
        "Removes all limits, programs, maps and files of Tokenbucket from this host;"
            + " refuses while an agent runs.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:nothing of Tokenbucket is left",
      "1:something could not be removed",
      "5:a capability is missing",
      "7:an agent runs with this --bpffs or --state-dir, and nothing was removed"
    })
public final class CleanupCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(CleanupCommand.class);

  @Mixin private HostOptions host = new HostOptions();

  @Option(
      names = "--wait-for-agent",
      defaultValue = "0",
      paramLabel = "SECONDS",
      description = "How long to wait for a running agent to end (default: ${DEFAULT-VALUE}).")
  private long waitSeconds;

  @Option(names = "--dry-run", description = "Prints what would be removed, and removes nothing.")
  private boolean dryRun;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Preflight.requireCapabilities();
    LinuxKernel kernel = new LinuxKernel();
    Programmer programmer = new Programmer(kernel, host.bpffs, host.stateDir);
    if (dryRun) {
      printPlan(programmer);
      return Exit.OK.code();
    }
    awaitNoAgent(kernel);
    try (AgentLock pins = AgentLock.ofPins(kernel, host.bpffs);
        AgentLock state = AgentLock.ofState(host.stateDir)) {
      LOG.debug("holding {} and {}", pins, state);
      removeAll(programmer);
    }
    return Exit.OK.code();
  }

  private void removeAll(Programmer programmer) throws IOException {
    programmer.removeAll();
    for (StateFiles file : StateFiles.values()) {
      FileTrees.delete(file.in(host.stateDir));
      FileTrees.delete(file.partialIn(host.stateDir));
    }
    removeStateDir();
  }

  private void printPlan(Programmer programmer) {
    PrintWriter out = spec.commandLine().getOut();
    for (RunningHook hook : programmer.running()) {
      out.printf(
          "would detach program %d from %s %s %s: %s%n",
          hook.programId(),
          hook.interfaceName(),
          hook.hook(),
          hook.direction(),
          hook.policies().stream()
              .map(RunningHook.RunningPolicy::name)
              .collect(Collectors.joining(", ")));
    }
    programmer
        .folders()
        .forEach(each -> out.println("would remove every map and pin under " + each));
    Stream.of(StateFiles.values())
        .flatMap(file -> Stream.of(file.in(host.stateDir), file.partialIn(host.stateDir)))
        .filter(Files::exists)
        .forEach(file -> out.println("would remove " + file));
    out.flush();
  }

  /** Removes the folder itself, unless it holds foreign files or is a mount point, as in a pod. */
  private void removeStateDir() throws IOException {
    try {
      Files.deleteIfExists(host.stateDir);
    } catch (FileSystemException e) {
      LOG.debug("{} stays: {}", host.stateDir, Reason.of(e));
    }
  }

  private void awaitNoAgent(Kernel kernel) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(waitSeconds);
    while (System.nanoTime() < end && agentRuns(kernel)) {
      TimeUnit.MILLISECONDS.sleep(200);
    }
  }

  private boolean agentRuns(Kernel kernel) throws IOException {
    try (AgentLock pins = AgentLock.ofPins(kernel, host.bpffs);
        AgentLock state = AgentLock.ofState(host.stateDir)) {
      LOG.debug("no agent holds {} or {}", pins, state);
      return false;
    } catch (CommandFailure e) {
      return true;
    }
  }
}
