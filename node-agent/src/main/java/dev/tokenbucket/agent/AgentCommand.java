package dev.tokenbucket.agent;

import dev.tokenbucket.agent.compile.ClassifierObjects;
import dev.tokenbucket.agent.compile.CompileMode;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Keeps the kernel at the desired state, until it is killed; the limits then stay in force. */
@Command(name = "agent", description = "Programs this host's kernel, and keeps it so.")
final class AgentCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(AgentCommand.class);
  private static final Duration RESYNC = Duration.ofSeconds(2);

  @Mixin private SourceOptions source = new SourceOptions();

  @Option(
      names = "--clsact",
      description = "Attaches clsact filters, as on kernels before 6.6, though TCX may be there.")
  private boolean clsact;

  @Option(
      names = "--health-port",
      paramLabel = "PORT",
      defaultValue = "0",
      description =
          "Serves /healthz and /readyz on this port of 127.0.0.1 (default: ${DEFAULT-VALUE}, none).")
  private int healthPort;

  @Option(
      names = "--compile",
      paramLabel = "MODE",
      defaultValue = "auto",
      description =
          "Whether clang compiles the classifier on this host: ${COMPLETION-CANDIDATES}; auto does"
              + " where there is a clang, and takes the objects built with the agent elsewhere"
              + " (default: ${DEFAULT-VALUE}).")
  private CompileMode compile = CompileMode.AUTO;

  @Mixin private HostOptions host = new HostOptions();

  @Mixin private FailsafeOptions failsafe = new FailsafeOptions();

  @Override
  public Integer call() throws IOException, InterruptedException {
    SourceOptions.Opening opening = source.opening(host, System.getenv());
    Files.createDirectories(host.stateDir);
    try (HealthEndpoint health = new HealthEndpoint(healthPort, System::nanoTime);
        FileChannel lockFile =
            FileChannel.open(
                StateFiles.LOCK.in(host.stateDir),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        @Nullable FileLock lock = lockFile.tryLock()) {
      if (lock == null) {
        LOG.error(
            "another agent runs with --state-dir {}; stop it, or name another folder",
            host.stateDir);
        return 1;
      }
      List<String> findings =
          Preflight.findings(Path.of("/"), System.getenv().getOrDefault("PATH", ""), compile);
      findings.forEach(finding -> LOG.warn("preflight: {}", finding));
      Optional<String> obstacle = NodePlace.obstacle(System.getenv());
      if (obstacle.isPresent()) {
        new BlockedAgent(obstacle.get(), findings, health).run(opening);
      }
      Kernel kernel = new LinuxKernel(clsact);
      BpfFileSystem.ensure(kernel, host.bpffs);
      Path objects = new ClassifierObjects(StateFiles.OBJECTS.in(host.stateDir)).of(compile);
      FailsafeSettings failsafes = failsafe.settings();
      StateFiles.FAILSAFES
          .write(host.stateDir, String.join("\n", failsafes.describe()))
          .ifPresent(problem -> LOG.warn("{}", problem));
      Programmer programmer = new Programmer(kernel, host.bpffs, objects, failsafes);
      for (String layout : programmer.otherLayouts()) {
        LOG.info("maps of layout {} are in force until the first set takes over", layout);
      }
      try (DesiredStateSource desired = opening.open(findings)) {
        LOG.info("agent ready");
        run(desired, programmer, health);
      }
    }
    return 0;
  }

  private void run(DesiredStateSource desired, Programmer programmer, HealthEndpoint health)
      throws InterruptedException {
    Optional<DesiredState> applied = Optional.empty();
    long appliedAt = 0;
    String lastError = "";
    while (true) {
      try {
        Optional<DesiredState> wanted = desired.current();
        long now = System.nanoTime();
        if (wanted.isPresent() && (!wanted.equals(applied) || now - appliedAt > RESYNC.toNanos())) {
          Map<String, String> failures = apply(programmer, wanted.get());
          Map<String, List<String>> warnings = warnings(programmer, wanted.get());
          desired.report(wanted.get(), programmer.running(), failures, warnings);
          applied = wanted;
          appliedAt = now;
          lastError = logChanged(failures.toString(), lastError);
          sweep(programmer);
        }
        if (wanted.isPresent() || desired.looked()) {
          health.ready();
        }
      } catch (IOException | RuntimeException e) {
        lastError = logChanged(String.valueOf(e.getMessage()), lastError);
        Thread.sleep(RESYNC.toMillis() / 2);
      }
      health.passed();
      desired.awaitChange(RESYNC);
    }
  }

  /** Also kept for {@code tb status}; that they can't be had stops nothing. */
  private Map<String, List<String>> warnings(Programmer programmer, DesiredState wanted)
      throws IOException {
    Map<String, List<String>> warnings = new LinkedHashMap<>();
    try {
      warnings.putAll(programmer.warnings(wanted.policies()));
    } catch (RuntimeException e) {
      LOG.warn("overlaps and stacked interfaces are not looked for: {}", e.getMessage());
    }
    List<String> lines = new ArrayList<>();
    for (NodePolicy policy : wanted.policies()) {
      warnings
          .getOrDefault(policy.uid(), List.of())
          .forEach(each -> lines.add(policy.name() + ": " + each));
    }
    if (!StateFiles.WARNINGS.lines(host.stateDir).equals(lines)) {
      StateFiles.WARNINGS
          .write(host.stateDir, String.join("\n", lines))
          .ifPresent(problem -> LOG.warn("{}", problem));
      lines.forEach(each -> LOG.warn("{}", each));
    }
    return warnings;
  }

  /** Apart from programming: that idle buckets stay harms no limit. */
  private static void sweep(Programmer programmer) {
    try {
      programmer.sweep();
    } catch (RuntimeException e) {
      LOG.warn("idle buckets stay until the next try: {}", e.getMessage());
    }
  }

  /** What stops the whole set is told of each policy in it. */
  private static Map<String, String> apply(Programmer programmer, DesiredState wanted) {
    try {
      return programmer.apply(wanted.policies());
    } catch (RuntimeException e) {
      Map<String, String> failures = new LinkedHashMap<>();
      String message = String.valueOf(e.getMessage());
      wanted.policies().forEach(policy -> failures.put(policy.uid(), message));
      return failures;
    }
  }

  /** The same failure is tried again for ever, and logged once. */
  private static String logChanged(String error, String last) {
    if (!error.equals(last) && !error.equals("{}")) {
      LOG.error("not programmed, the last good state stays in force: {}", error);
    }
    return error;
  }
}
