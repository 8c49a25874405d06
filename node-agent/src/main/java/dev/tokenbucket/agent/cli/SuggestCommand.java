// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.capture.CaptureReader;
import dev.tokenbucket.agent.compile.ReplayObject;
import dev.tokenbucket.agent.host.CommandFailure;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.Preflight;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.suggest.CaptureTrace;
import dev.tokenbucket.agent.suggest.Limit;
import dev.tokenbucket.agent.suggest.Limit.Outcome;
import dev.tokenbucket.agent.suggest.Suggester;
import dev.tokenbucket.agent.suggest.Suggester.Suggestion;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Failsafe;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.OnFull;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Proposes a limit from a capture. */
@Command(
    name = "suggest",
    description =
        "Proposes a policy from a capture: the lowest rate that would have refused no"
            + " more than the given share of its packets, with the evidence as comments.",
    exitCodeListHeading = "Exit codes:%n",
    exitCodeList = {
      "0:a policy was printed",
      "1:the capture can't be read, or holds no IP packet",
      "5:a capability is missing"
    })
public final class SuggestCommand implements Callable<Integer> {
  private static final double PERCENT = 100;
  private static final int FULL_FRAME = 1514;

  @Parameters(paramLabel = "FILE", description = "A capture, pcap or pcapng.")
  private Path file = Path.of("");

  @Option(
      names = "--refuse",
      paramLabel = "PERCENT",
      defaultValue = "1",
      description = "The share of packets that may be refused (default: ${DEFAULT-VALUE}).")
  private double percent;

  @Option(
      names = "--per",
      paramLabel = "KEY",
      defaultValue = "SourceIP",
      description =
          "What has a bucket of its own: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private BucketPer per = BucketPer.SourceIP;

  @Option(
      names = "--unit",
      paramLabel = "UNIT",
      defaultValue = "packets",
      description = "What is limited: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Unit unit = Unit.packets;

  @Option(
      names = "--burst",
      paramLabel = "SECONDS",
      defaultValue = "0.1",
      description =
          "The burst, as a time at the suggested rate; a burst holds at least ten full"
              + " packets (default: ${DEFAULT-VALUE}).")
  private double burstSeconds;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "suggested",
      description = "The policy's name (default: ${DEFAULT-VALUE}).")
  private String name = "suggested";

  @Mixin private HookOptions hook = new HookOptions();

  @Spec private CommandSpec spec = CommandSpec.create();

  private enum Unit {
    packets,
    bits
  }

  @Override
  public Integer call() throws IOException {
    if (!(percent >= 0 && percent < PERCENT)) {
      throw wrong("--refuse " + percent + ": must be at least 0 and less than 100");
    }
    if (!(burstSeconds > 0 && burstSeconds <= 60)) {
      throw wrong("--burst " + burstSeconds + ": must be above 0, and at most 60 seconds");
    }
    Preflight.requireCapabilities();
    Kernel kernel = new LinuxKernel();
    CaptureTrace capture;
    try (CaptureReader reader = CaptureReader.open(file)) {
      capture = CaptureTrace.read(kernel, ReplayObject.read(), policy(), reader);
    }
    if (capture.trace().size() == 0) {
      throw new CommandFailure(Exit.FAILED, file + " holds no IP packet");
    }
    print(capture);
    return Exit.OK.code();
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private RateUnit rateUnit() {
    return unit == Unit.bits ? RateUnit.Bits : RateUnit.Packets;
  }

  /** A policy that judges every packet and limits none. */
  private NodePolicy policy() {
    return new NodePolicy(
        name,
        name,
        1,
        List.of(),
        hook.direction(),
        null,
        0,
        List.of(),
        List.of(),
        Failsafe.Disabled,
        per,
        1,
        OnFull.ShareBucket,
        Integer.SIZE,
        2 * Integer.SIZE,
        rateUnit(),
        1_000,
        null,
        FULL_FRAME,
        null,
        ExceedAction.Drop,
        null,
        Mode.Audit);
  }

  private void print(CaptureTrace capture) {
    Suggestion suggestion =
        new Suggester(rateUnit(), percent / PERCENT, burstSeconds).suggest(capture.trace());
    PrintWriter out = spec.commandLine().getOut();
    evidence(out, capture, suggestion);
    Limit limit = suggestion.limit();
    boolean bits = unit == Unit.bits;
    out.println("apiVersion: tokenbucket.dev/v1alpha1");
    out.println("kind: TokenBucketPolicy");
    out.println("metadata:");
    out.println("  name: " + name);
    out.println("spec:");
    if (hook.interfaceName() != null) {
      out.println("  interfaces:\n  - name: " + hook.interfaceName());
    }
    if (hook.direction() == Direction.Egress) {
      out.println("  direction: Egress");
    }
    out.println("  bucket:\n    per: " + per);
    out.printf(
        "  rate:%n    %s: %d%n",
        bits ? "bitsPerSecond" : "packetsPerSecond",
        bits ? Byte.SIZE * limit.rate() : limit.rate());
    out.printf("  burst:%n    %s: %d%n", bits ? "bytes" : "packets", limit.burst());
    out.println(
        "  # Audit counts what the policy would refuse, and refuses nothing; to"
            + " enforce the limit, remove the next line");
    out.println("  mode: Audit");
    out.flush();
  }

  private void evidence(PrintWriter out, CaptureTrace capture, Suggestion suggestion) {
    out.printf(
        "# From %s: %,d packets of %,d keys in %.1f s, starting at %s.%n",
        file,
        capture.trace().size(),
        capture.trace().keyCount(),
        capture.trace().duration() / 1e9,
        capture.begin());
    if (capture.leftOut() != 0) {
      out.printf("# Left out, because there are too many: %,d packets.%n", capture.leftOut());
    }
    Outcome outcome = suggestion.outcome();
    out.printf(
        "# Wanted: at most %s %% of packets refused. This rate refuses %.2f %% of them, of %,d"
            + " keys.%n",
        text(percent), PERCENT * outcome.share(), outcome.keys());
    out.printf(
        "# Half this rate would refuse %.2f %%, of %,d keys; twice this rate %.2f %%,"
            + " of %,d keys.%n",
        PERCENT * suggestion.half().share(),
        suggestion.half().keys(),
        PERCENT * suggestion.twice().share(),
        suggestion.twice().keys());
    out.printf(
        "# Fitted to the first three quarters of the time, the rate refuses %.2f %% of the last.%n",
        PERCENT * suggestion.heldOut().share());
  }

  private static String text(double number) {
    return number == Math.rint(number) ? "%.0f".formatted(number) : String.valueOf(number);
  }
}
