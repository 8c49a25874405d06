// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.Poll;
import dev.tokenbucket.testing.StepFailedException;
import dev.tokenbucket.testing.TestNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A node: its own network, mount and process namespace with its own BPF file system, in which
 * containerd and kubelet run. The node's folder survives a reboot; /run and the BPF file system do
 * not. All its processes, pods included, are in one process namespace. They end with that
 * namespace's first process, however this process ends.
 */
public final class ClusterNode implements AutoCloseable {
  private static final Duration BOOT = Duration.ofSeconds(30);

  /**
   * The node's first process ends with the shell. The shell obeys signals, which unshare would
   * ignore.
   */
  private static final String HOLD = "setpriv --pdeathsig KILL \"$0\" & wait";

  private static final String CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

  private final ClusterNetwork network;
  private final NodeSettings settings;
  private final Path kubelet;
  private final Path kubeconfig;
  private final PauseImage pause;
  private final CgroupsV1 cgroups;
  private @Nullable Daemon holder;
  private @Nullable Daemon containerd;
  private @Nullable Daemon runningKubelet;
  private Instant kubeletSince = Instant.MAX;

  /**
   * A node that has not started yet.
   *
   * @param kubelet the executable
   */
  ClusterNode(
      ClusterNetwork network,
      NodeSettings settings,
      Path kubelet,
      Path kubeconfig,
      PauseImage pause) {
    this.network = network;
    this.settings = settings;
    this.kubelet = kubelet;
    this.kubeconfig = kubeconfig;
    this.pause = pause;
    this.cgroups = new CgroupsV1(settings.cgroup());
  }

  /** The name of its Node. */
  public String name() {
    return settings.name();
  }

  public String address() {
    return settings.address();
  }

  /** The folder with its logs. */
  public Path folder() {
    return settings.folder();
  }

  /** Starts everything except the kubelet. */
  void boot() {
    try {
      cgroups.make();
    } catch (IOException e) {
      throw new StepFailedException("starting " + name() + ": " + e.getMessage(), e);
    }
    holder =
        Daemon.start(
            name(),
            List.of(
                "nsenter",
                "--net=/run/netns/" + network.node(settings.number()),
                "unshare",
                "--mount",
                "--propagation=private",
                "--pid",
                "sh",
                "-c",
                HOLD,
                pause.program().toString()),
            Map.of(),
            log("holder"),
            Daemon.Lifetime.WITH_PARENT);
    holder.await("its first process", BOOT, this::held);
    mount();
    containerd =
        daemon("containerd", List.of("containerd", "--config", "" + settings.containerdFile()));
    containerd.await(
        "socket", BOOT, () -> Files.exists(root().resolve(CONTAINERD_SOCKET.substring(1))));
  }

  private boolean held() {
    try {
      return first().info().command().orElse("").endsWith(pause.program().toString());
    } catch (StepFailedException e) {
      return false;
    }
  }

  /** The first process of the node's process namespace. */
  private ProcessHandle first() {
    return child(required(holder));
  }

  private static ProcessHandle child(Daemon daemon) {
    return ProcessHandle.of(daemon.pid())
        .flatMap(process -> process.children().findFirst())
        .orElseThrow(() -> new StepFailedException("a process of the node has ended", null));
  }

  private Daemon required(@Nullable Daemon daemon) {
    if (daemon == null) {
      throw new StepFailedException(name() + " is not started", null);
    }
    return daemon;
  }

  private void mount() {
    Path folder = settings.folder();
    run("mount", "--make-rshared", "/");
    run("mount", "-t", "proc", "proc", "/proc");
    for (String sysctl : NodeSettings.SYSCTLS.keySet()) {
      run("mount", "--bind", "" + settings.sysctlFile(sysctl), "/proc/sys/" + sysctl);
    }
    run("mount", "-t", "bpf", "-o", "mode=0700", "bpf", "/sys/fs/bpf");
    run("mount", "--bind", folder.resolve("lib").toString(), "/var/lib");
    run("mount", "--bind", folder.resolve("log").toString(), "/var/log");
    run("mount", "-t", "tmpfs", "tmpfs", "/run");
    run("mkdir", "/run/containerd");
  }

  private Path log(String of) {
    return settings.folder().resolve(of + ".log");
  }

  private Daemon daemon(String name, List<String> command) {
    return Daemon.start(
        name + " of " + name(), in(command), Map.of(), log(name), Daemon.Lifetime.WITH_PARENT);
  }

  /** A command that runs on the node and ends with it. */
  public List<String> in(List<String> command) {
    return Stream.concat(
            Stream.of("nsenter", "--target", "" + first().pid(), "--mount", "--net", "--pid", "--"),
            command.stream())
        .toList();
  }

  /** Runs a command on the node to its end. */
  public String run(String... command) {
    return Commands.run(in(List.of(command)));
  }

  /** Runs a command that may fail on the node to its end. */
  public Commands.Outcome end(String... command) {
    return Commands.end(in(List.of(command)));
  }

  /** Whether a classifier is attached to one of the node's interfaces by a pinned link. */
  public boolean hasHook() {
    return run("find", "/sys/fs/bpf", "-path", "*/hooks/*/link").contains("/link");
  }

  /** When the kubelet was last started, to the second, as the API's times are. */
  Instant kubeletSince() {
    return kubeletSince;
  }

  /** The node's files, as this process sees them. */
  public Path root() {
    return Path.of("/proc/" + first().pid() + "/root");
  }

  /** Imports an image from an archive. */
  public void importImage(Path archive) {
    run("ctr", "--address", CONTAINERD_SOCKET, "-n", "k8s.io", "images", "import", "" + archive);
  }

  /** Gives an existing image another name. */
  public void tagImage(String from, String to) {
    run(
        "ctr",
        "--address",
        CONTAINERD_SOCKET,
        "-n",
        "k8s.io",
        "images",
        "tag",
        "--force",
        from,
        to);
  }

  /** A command in the node's network namespace with this machine's files. */
  public List<String> inNetwork(List<String> command) {
    return TestNetwork.in(networkNamespace(), command);
  }

  /** The name of the node's network namespace. */
  public String networkNamespace() {
    return network.node(settings.number());
  }

  /** Starts the kubelet. */
  public void startKubelet() {
    kubeletSince = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    runningKubelet =
        daemon(
            "kubelet",
            List.of(
                kubelet.toString(),
                "--config=" + settings.kubeletFile(),
                "--kubeconfig=" + kubeconfig,
                "--hostname-override=" + name(),
                "--node-ip=" + address()));
  }

  /** Ends only the kubelet; pods keep running. */
  public void stopKubelet() {
    Daemon stopped = required(runningKubelet);
    child(stopped).destroy();
    awaitEnd(stopped);
    runningKubelet = null;
  }

  /** Ends the node abruptly, as a power failure would. */
  public void stop() {
    first().destroyForcibly();
    for (Daemon daemon :
        Stream.of(runningKubelet, containerd, holder).filter(d -> d != null).toList()) {
      awaitEnd(daemon);
    }
    runningKubelet = null;
    containerd = null;
    holder = null;
    cgroups.remove();
    network.removeNode(settings.number());
  }

  /**
   * Starts the node again after {@link #stop}, with new namespaces, a new BPF file system and a new
   * /run. The boot id stays: kubelet and agent both read this machine's.
   */
  public void start() {
    network.makeNode(settings.number());
    boot();
    startKubelet();
  }

  private static void awaitEnd(Daemon daemon) {
    Poll.until("end of a node's process", BOOT, () -> !daemon.isAlive());
  }

  /**
   * The process ids, in this machine's namespace, of a container's processes; none if the container
   * has ended. The first one is the process that the container was started with.
   *
   * @param id the container's id without the runtime's prefix
   */
  public List<Long> processes(String id) {
    return ProcessHandle.allProcesses()
        .filter(process -> cgroup(process.pid()).contains(id))
        .map(ProcessHandle::pid)
        .sorted()
        .toList();
  }

  private static String cgroup(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cgroup"));
    } catch (IOException e) {
      return ""; // the process has ended
    }
  }

  @Override
  public void close() {
    if (holder != null && holder.isAlive()) {
      stop();
    }
    cgroups.remove();
  }
}
