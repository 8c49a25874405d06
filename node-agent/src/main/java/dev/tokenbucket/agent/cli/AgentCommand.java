// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.compile.ClassifierObjects;
import dev.tokenbucket.agent.compile.CompileMode;
import dev.tokenbucket.agent.host.AgentLock;
import dev.tokenbucket.agent.host.CommandFailure.Exit;
import dev.tokenbucket.agent.host.NodePlace;
import dev.tokenbucket.agent.host.PinGround;
import dev.tokenbucket.agent.host.Preflight;
import dev.tokenbucket.agent.host.StateFiles;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.KernelDevices;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.log.LogConfigurator;
import dev.tokenbucket.agent.log.LogFormat;
import dev.tokenbucket.agent.loop.AgentMetrics;
import dev.tokenbucket.agent.loop.AgentThreads;
import dev.tokenbucket.agent.loop.AskedLogLevel;
import dev.tokenbucket.agent.loop.BlockedAgent;
import dev.tokenbucket.agent.loop.Exemptions;
import dev.tokenbucket.agent.loop.HealthEndpoint;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.loop.MetricsEndpoint;
import dev.tokenbucket.agent.loop.NetworkLoop;
import dev.tokenbucket.agent.loop.ProgramLoop;
import dev.tokenbucket.agent.loop.ReportLoop;
import dev.tokenbucket.agent.loop.SweepLoop;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.agent.source.DesiredStateSource;
import dev.tokenbucket.agent.source.SourceOpening;
import dev.tokenbucket.agent.source.Wake;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Keeps the kernel in the desired state until the agent is killed; the limits then stay in force.
 */
@Command(
    name = "agent",
    description = "Programs this host's kernel with the policies, and keeps them in force.")
public final class AgentCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(AgentCommand.class);

  /** The most interfaces attached to at the same time, on hosts with at least that many CPUs. */
  private static final int ATTACHING = 4;

  @Mixin private SourceOptions source = new SourceOptions();

  @Option(
      names = "--clsact",
      description =
          "Attaches clsact filters, as on kernels before 6.6, even if the kernel has TCX.")
  private boolean clsact;

  @Option(
      names = "--compile",
      paramLabel = "MODE",
      defaultValue = "auto",
      description =
          "Whether clang compiles the classifier on this host: ${COMPLETION-CANDIDATES};"
              + " auto compiles if the host has clang, and else uses the objects built with"
              + " the agent (default: ${DEFAULT-VALUE}).")
  private CompileMode compile = CompileMode.AUTO;

  @Option(
      names = "--health-port",
      paramLabel = "PORT",
      defaultValue = "0",
      description =
          "Serves /healthz, /readyz and /metrics on this port of 127.0.0.1 (default:"
              + " ${DEFAULT-VALUE}, none).")
  private int healthPort;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      defaultValue = "0",
      description =
          "Serves /metrics on this port of every address of the host (default: ${DEFAULT-VALUE},"
              + " none).")
  private int metricsPort;

  @Mixin private HostOptions host = new HostOptions();

  @Mixin private FailsafeOptions failsafe = new FailsafeOptions();

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      description =
          "Writes log lines as ${COMPLETION-CANDIDATES} (default: TOKENBUCKET_LOG_FORMAT of the"
              + " environment, else text).")
  private @Nullable LogFormat logFormat;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (logFormat != null) {
      LogConfigurator.use(logFormat);
    }
    SourceOpening opening = source.opening(host, System.getenv());
    Files.createDirectories(host.stateDir);
    try (AgentLock lock = AgentLock.ofState(host.stateDir);
        HealthEndpoint health = new HealthEndpoint(healthPort, System::nanoTime)) {
      LOG.debug("holding {}", lock);
      List<String> findings =
          Preflight.findings(Path.of("/"), System.getenv().getOrDefault("PATH", ""), compile);
      findings.forEach(finding -> LOG.warn("preflight: {}", finding));
      Optional<String> obstacle = NodePlace.obstacle(System.getenv());
      if (obstacle.isPresent()) {
        new BlockedAgent(obstacle.get(), findings, health).run(opening);
      }
      run(opening, findings, health);
    }
    return Exit.FAILED.code();
  }

  /**
   * Opens the source of the desired state and the kernel at the same time, because both take time.
   */
  private void run(SourceOpening opening, List<String> findings, HealthEndpoint health)
      throws IOException, InterruptedException {
    Wake wake = new Wake();
    CompletableFuture<DesiredStateSource> opened =
        CompletableFuture.supplyAsync(() -> open(opening, findings, wake));
    Kernel kernel = new LinuxKernel(clsact);
    try (PinGround ground = new PinGround(kernel, host.bpffs)) {
      run(opened, kernel, ground, health, wake);
    }
  }

  private void run(
      CompletableFuture<DesiredStateSource> opened,
      Kernel kernel,
      PinGround ground,
      HealthEndpoint health,
      Wake wake)
      throws IOException, InterruptedException {
    long start = System.nanoTime();
    Path objects = new ClassifierObjects(StateFiles.OBJECTS.in(host.stateDir)).of(compile);
    Duration preparation = Duration.ofNanos(System.nanoTime() - start);
    Exemptions exemptions = new Exemptions(failsafe::settings, host.stateDir);
    Programmer programmer =
        new Programmer(kernel, host.bpffs, objects, AgentThreads.pool("attaching", ATTACHING));
    // A separate reader, so that a scrape does not wait while a set is applied.
    Programmer reader = new Programmer(kernel, host.bpffs, objects);
    AgentMetrics metrics =
        new AgentMetrics(
            reader::running,
            new AgentMetrics.Work(preparation, programmer::loads, () -> lastContact(opened)));
    health.serve(metrics);
    for (String layout : programmer.otherLayouts()) {
      LOG.info(
          "maps of layout {} stay in force until the first set of policies takes over", layout);
    }
    try (KernelDevices.NetworkWatch network = kernel.watchNetwork();
        MetricsEndpoint served = new MetricsEndpoint(metricsPort, metrics);
        DesiredStateSource source = await(opened);
        AgentThreads threads = new AgentThreads()) {
      LOG.debug("serving {}", served);
      Runtime.getRuntime().addShutdownHook(new Thread(AgentCommand::sayEnd));
      LOG.info("agent ready");
      NetworkLoop changes = new NetworkLoop(network, wake);
      ReportLoop reports = new ReportLoop(programmer, source, host.stateDir, health);
      threads.start("network", changes);
      threads.start(
          LoopName.PROGRAMMING.text(),
          new ProgramLoop(
              programmer,
              source,
              ground,
              exemptions,
              health,
              metrics,
              changes,
              reports,
              new AskedLogLevel(host.stateDir),
              wake));
      threads.start(LoopName.REPORTING.text(), reports);
      threads.start(LoopName.SWEEPING.text(), new SweepLoop(programmer, health));
      threads.await();
    }
  }

  private static Optional<Instant> lastContact(CompletableFuture<DesiredStateSource> opened) {
    return opened.isDone() && !opened.isCompletedExceptionally()
        ? opened.join().lastContact()
        : Optional.empty();
  }

  private static void sayEnd() {
    LOG.info("the agent ends; what the kernel runs stays in force (tb cleanup removes it)");
  }

  private static DesiredStateSource open(SourceOpening opening, List<String> findings, Wake wake) {
    try {
      return opening.open(findings, wake);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static DesiredStateSource await(CompletableFuture<DesiredStateSource> opened)
      throws IOException {
    try {
      return opened.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof UncheckedIOException io) {
        throw io.getCause();
      }
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }
}
