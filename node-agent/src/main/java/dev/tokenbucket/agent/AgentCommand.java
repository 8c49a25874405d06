package dev.tokenbucket.agent;

import dev.tokenbucket.agent.compile.ClassifierObjects;
import dev.tokenbucket.agent.compile.CompileMode;
import dev.tokenbucket.agent.kernel.Kernel;
import dev.tokenbucket.agent.kernel.LinuxKernel;
import dev.tokenbucket.agent.match.FailsafeSettings;
import dev.tokenbucket.agent.program.Programmer;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.io.IOException;
import java.net.InetAddress;
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
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Keeps the kernel at the desired state, until it is killed; the limits then stay in force. */
@Command(name = "agent", description = "Programs this host's kernel, and keeps it so.")
final class AgentCommand implements Callable<Integer> {
  private static final Logger LOG = LoggerFactory.getLogger(AgentCommand.class);
  private static final Duration RESYNC = Duration.ofSeconds(2);

  static final class Source {
    @Option(
        names = "--policies",
        paramLabel = "DIR",
        description = "A folder of policy files: no cluster.")
    @Nullable Path policies;

    @Option(
        names = "--kubeconfig",
        paramLabel = "FILE",
        description = "The cluster that says what to run.")
    @Nullable Path kubeconfig;
  }

  @ArgGroup(multiplicity = "1")
  private Source source = new Source();

  @Option(
      names = "--node-name",
      paramLabel = "NAME",
      description = "This node's name (default: the host's).")
  private @Nullable String nodeName;

  @Option(
      names = "--clsact",
      description = "Attaches clsact filters, as on kernels before 6.6, though TCX may be there.")
  private boolean clsact;

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
    Files.createDirectories(host.stateDir);
    try (FileChannel lockFile =
            FileChannel.open(
                host.stateDir.resolve("agent.lock"),
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
      Kernel kernel = new LinuxKernel(clsact);
      BpfFileSystem.ensure(kernel, host.bpffs);
      Path objects = new ClassifierObjects(host.stateDir.resolve("objects")).of(compile);
      FailsafeSettings failsafes = failsafe.settings();
      Files.write(host.failsafes(), failsafes.describe());
      Programmer programmer = new Programmer(kernel, host.bpffs, objects, failsafes);
      for (String layout : programmer.otherLayouts()) {
        LOG.info("maps of layout {} are in force until the first set takes over", layout);
      }
      try (DesiredStateSource desired = open(findings)) {
        LOG.info("agent ready");
        run(desired, programmer);
      }
    }
    return 0;
  }

  private DesiredStateSource open(List<String> findings) throws IOException {
    if (source.kubeconfig != null) {
      String name = nodeName == null ? InetAddress.getLocalHost().getHostName() : nodeName;
      return new NodeStateSource(source.kubeconfig, name, findings);
    }
    if (source.policies != null) {
      return new PolicyDirectorySource(source.policies, host);
    }
    throw new IllegalStateException("picocli lets exactly one source through");
  }

  private void run(DesiredStateSource desired, Programmer programmer) throws InterruptedException {
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
      } catch (IOException | RuntimeException e) {
        lastError = logChanged(String.valueOf(e.getMessage()), lastError);
        Thread.sleep(RESYNC.toMillis() / 2);
      }
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
    if (!Files.exists(host.warnings()) || !Files.readAllLines(host.warnings()).equals(lines)) {
      Files.write(host.warnings(), lines);
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
