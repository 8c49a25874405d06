// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.observe.Excess;
import dev.tokenbucket.agent.observe.Observer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shows packets that exceed a policy, as it happens. */
@Command(
    name = "observe",
    description =
        "Shows each packet that exceeds a policy, as it happens: refused, passed because the"
            + " policy's mode is Audit, or marked. Repeats until interrupted, and ends with a line"
            + " that says how many were shown, suppressed and lost. JSON has one object per line.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:the kernel was observed, whether or not a packet exceeded",
      "1:the interface runs no Tokenbucket program, no such policy is in force, another tb observe"
          + " runs, or the kernel could not be read",
      "2:the command line is wrong",
      "3:no hook on this host runs a Tokenbucket program",
      "5:a capability is missing",
      "6:--bpffs is not on a BPF file system"
    })
public final class ObserveCommand implements Callable<Integer> {
  private static final Duration WAIT = Duration.ofMillis(100);
  private static final int MOST = 1_000_000;

  @Option(
      names = "--policy",
      paramLabel = "NAME",
      description = "Only this policy's packets; may be given several times.")
  private Set<String> policies = Set.of();

  @Mixin private HookOptions hook = new HookOptions();

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "1",
      description = "Shows one packet of N per CPU (default: ${DEFAULT-VALUE}, each packet).")
  private int sample;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "100",
      description = "Shows at most N packets per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(names = "--count", paramLabel = "N", description = "Ends after N packets were shown.")
  private @Nullable Integer count;

  @Option(
      names = "--for",
      paramLabel = "DURATION",
      converter = Durations.class,
      description = "Ends after this time, such as 30s, 5m or 1h.")
  private @Nullable Duration duration;

  @Mixin private TextOrJson output = new TextOrJson();

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    requireWithin("--sample", sample);
    requireWithin("--rate", rate);
    if (count != null) {
      requireWithin("--count", count);
    }
    host.requireReadablePins();
    Kernel kernel = new LinuxKernel();
    Path objects = StateFiles.OBJECTS.in(host.stateDir);
    if (!Observer.findsHooks(kernel, host.bpffs, objects)) {
      spec.commandLine().getErr().println("no hook on this host runs a Tokenbucket program");
      return Exit.NO_HOOK.code();
    }
    try (Interrupt interrupt = new Interrupt();
        Observer observer =
            new Observer(
                kernel,
                host.bpffs,
                objects,
                new Observer.Request(
                    policies, hook.interfaceName(), hook.direction(), sample, rate),
                notice -> spec.commandLine().getErr().println("tb observe: " + notice))) {
      observe(observer, interrupt);
    }
    return Exit.OK.code();
  }

  private void requireWithin(String option, int value) {
    if (value < 1 || value > MOST) {
      throw new ParameterException(
          spec.commandLine(),
          "%s %d: must be a whole number from 1 to %d".formatted(option, value, MOST));
    }
  }

  /** Also ends if nobody reads the output any more. */
  private void observe(Observer observer, Interrupt interrupt) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    long begin = System.nanoTime();
    long shown = 0;
    while (!isEnough(shown) && !hasPassed(begin) && !interrupt.isThere() && !out.checkError()) {
      shown += show(observer.next(WAIT), shown);
    }
    shown += show(observer.end(), shown);
    ObserveText text = new ObserveText(out);
    if (output.isJson()) {
      text.json(observer.summary(shown));
    } else {
      text.print(observer.summary(shown));
    }
    out.flush();
  }

  private boolean isEnough(long shown) {
    return count != null && shown >= count;
  }

  private boolean hasPassed(long begin) {
    return duration != null && System.nanoTime() - begin >= duration.toNanos();
  }

  /** Returns how many of them were shown. */
  private long show(List<Excess> packets, long before) throws IOException {
    long most = count == null ? packets.size() : Math.min(packets.size(), count - before);
    ObserveText text = new ObserveText(spec.commandLine().getOut());
    for (Excess each : packets.subList(0, (int) most)) {
      if (output.isJson()) {
        text.json(each);
      } else {
        text.print(each);
      }
    }
    return most;
  }
}
