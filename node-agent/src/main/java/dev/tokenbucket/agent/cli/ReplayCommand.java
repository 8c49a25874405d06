// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.capture.CapturedFrame;
import dev.tokenbucket.agent.capture.PcapWriter;
import dev.tokenbucket.agent.compile.ReplayObject;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.Preflight;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.replay.Replay;
import dev.tokenbucket.agent.replay.ReplayReport;
import dev.tokenbucket.agent.source.Documents;
import dev.tokenbucket.agent.source.InForce;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Reports what policies would have done to a capture's packets. */
@Command(
    name = "replay",
    description =
        "Runs the packets of a capture through the classifier, by the capture's own"
            + " clock, and reports their verdicts; touches no interface, and leaves nothing"
            + " in the kernel.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:every packet was replayed",
      "1:the capture or a policy can't be read, or the capture ends too early",
      "5:a capability is missing"
    })
public final class ReplayCommand implements Callable<Integer> {
  private static final String STANDARD_INPUT = "-";

  @Parameters(
      paramLabel = "FILE",
      description = "A capture, pcap or pcapng; - reads standard input.")
  private String file = "";

  @Mixin private PolicyOptions policies = new PolicyOptions();

  @Mixin private HookOptions hook = new HookOptions();

  @Option(
      names = "--write-passed",
      paramLabel = "FILE",
      description = "Writes the packets that passed to this capture.")
  private @Nullable Path passed;

  @Option(
      names = "--write-dropped",
      paramLabel = "FILE",
      description = "Writes the packets that were dropped to this capture.")
  private @Nullable Path dropped;

  @Option(
      names = "--keys",
      paramLabel = "N",
      defaultValue = "10",
      description =
          "How many keys and first refusals to report per policy (default:" + " ${DEFAULT-VALUE}).")
  private int keys;

  @Mixin private TableOrJson output = new TableOrJson();

  @Mixin private HostOptions host = new HostOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    if (keys < 0) {
      throw new ParameterException(spec.commandLine(), "--keys " + keys + ": must be 0 or more");
    }
    requireOtherFiles();
    Preflight.requireCapabilities();
    Kernel kernel = new LinuxKernel();
    Replay.Settings settings = settings(kernel);
    try (CaptureReader capture = capture();
        Output out = new Output()) {
      Progress progress = new Progress(capture, size());
      Optional<IOException> problem = run(kernel, settings, capture, out, progress);
      problem.ifPresent(
          each -> spec.commandLine().getErr().println("tb replay: " + each.getMessage()));
      return (problem.isEmpty() ? Exit.OK : Exit.FAILED).code();
    }
  }

  /** Reports on a broken capture as far as it could be read. */
  private Optional<IOException> run(
      Kernel kernel,
      Replay.Settings settings,
      CaptureReader capture,
      Output out,
      Progress progress) {
    Replay replay =
        new Replay(
            kernel,
            ReplayObject.read(),
            settings,
            (frame, hasPassed) -> {
              out.take(frame, hasPassed);
              progress.advance(frame.number());
            });
    Optional<IOException> problem = Optional.empty();
    try {
      replay.run(capture);
    } catch (IOException e) {
      problem = Optional.of(e);
    }
    progress.end();
    print(replay.report(file));
    return problem;
  }

  private void print(ReplayReport report) {
    PrintWriter out = spec.commandLine().getOut();
    if (output.isJson()) {
      try {
        out.println(Documents.json(report));
      } catch (IOException e) {
        throw new IllegalStateException("the report can't be written as JSON", e);
      }
    } else {
      new ReplayTable(out, spec.commandLine().getColorScheme()).print(report);
    }
    out.flush();
  }

  private Replay.Settings settings(Kernel kernel) throws IOException {
    InForce tried = policies.read(host);
    return new Replay.Settings(
        hook.direction(), hook.chosen(tried.policies(), kernel), tried.failsafes(), keys);
  }

  private CaptureReader capture() throws IOException {
    return file.equals(STANDARD_INPUT)
        ? CaptureReader.of(System.in, "standard input")
        : CaptureReader.open(Path.of(file));
  }

  private long size() throws IOException {
    return file.equals(STANDARD_INPUT) ? 0 : Files.size(Path.of(file));
  }

  /** Refuses to write to a file that is read, because the capture would be lost. */
  private void requireOtherFiles() throws IOException {
    for (Path written : new Path[] {passed, dropped}) {
      if (written != null && !file.equals(STANDARD_INPUT) && isSame(written, Path.of(file))) {
        throw new ParameterException(
            spec.commandLine(), written + " is the capture to read; name another file");
      }
    }
    if (passed != null
        && dropped != null
        && passed.toAbsolutePath().equals(dropped.toAbsolutePath())) {
      throw new ParameterException(
          spec.commandLine(), "--write-passed and --write-dropped name the same file");
    }
  }

  private static boolean isSame(Path one, Path other) throws IOException {
    return Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
  }

  /** The captures to write, if the options ask for any. */
  private final class Output implements AutoCloseable {
    private final @Nullable PcapWriter ofPassed = writer(passed);
    private final @Nullable PcapWriter ofDropped = writer(dropped);

    Output() throws IOException {}

    private static @Nullable PcapWriter writer(@Nullable Path to) throws IOException {
      return to == null ? null : PcapWriter.to(to);
    }

    void take(CapturedFrame frame, boolean hasPassed) throws IOException {
      PcapWriter writer = hasPassed ? ofPassed : ofDropped;
      if (writer != null) {
        writer.write(frame);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        if (ofPassed != null) {
          ofPassed.close();
        }
      } finally {
        if (ofDropped != null) {
          ofDropped.close();
        }
      }
    }
  }
}
