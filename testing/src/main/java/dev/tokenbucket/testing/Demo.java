// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The demo as a program. {@code cluster} goes from kubectl apply to packets limited by the kernel.
 * {@code host} shows the same cases on one host with policy files. {@code stop} ends a cluster demo
 * that was kept.
 */
public final class Demo implements AutoCloseable {
  private static final double MEASURED_SECONDS = 10;
  private static final long CHANGED_RATE = 5_000;
  private static final double CHANGE_WINDOW_SECONDS = 0.1;

  private final long started = System.nanoTime();
  private final Path folder;
  private final Deque<AutoCloseable> toClose = new ArrayDeque<>();
  private final List<Long> pids = new ArrayList<>();
  private final DemoTable table = new DemoTable(System.out);

  private Demo(Path folder) {
    this.folder = folder;
  }

  /** The program. */
  public static void main(String[] arguments) throws IOException {
    String verb = arguments.length == 1 ? arguments[0] : "";
    if (verb.equals("cluster") && Files.exists(KeptDemo.FILE)) {
      System.out.println("a demo that was kept is still there; end it with: make demo-stop");
      System.exit(1);
    }
    Path folder = Files.createTempDirectory("tokenbucket-demo-");
    boolean keep = verb.equals("cluster") && "1".equals(System.getenv("KEEP"));
    boolean passed = false;
    try (Demo demo = new Demo(folder)) {
      switch (verb) {
        case "cluster" -> demo.cluster(keep);
        case "host" -> demo.host();
        case "stop" -> KeptDemo.stop();
        default -> throw new StepFailedException("one of cluster, host, stop", null);
      }
      passed = true;
      if (keep) {
        demo.toClose.clear();
      }
    } catch (StepFailedException e) {
      System.out.println("demo failed: " + e.getMessage());
      System.out.println("logs: " + folder);
    }
    if (!passed) {
      System.exit(1);
    }
    if (!keep) {
      deleteFolder(folder);
    }
  }

  private <T extends AutoCloseable> T closing(T resource) {
    toClose.push(resource);
    if (resource instanceof Daemon daemon) {
      pids.add(0, daemon.pid());
    }
    return resource;
  }

  private void say(String what) {
    System.out.printf(Locale.ROOT, "[%5.1f s] %s%n", (System.nanoTime() - started) / 1e9, what);
  }

  private void cluster(boolean keep) {
    Daemon.Lifetime lifetime = keep ? Daemon.Lifetime.DETACHED : Daemon.Lifetime.WITH_PARENT;
    say("starting etcd and kube-apiserver: waiting for /readyz");
    ControlPlane controlPlane = closing(ControlPlane.start(folder.resolve("cluster"), lifetime));
    Cluster cluster = new Cluster(controlPlane);
    say("applying CRDs and roles");
    cluster.install();
    say("making two hosts and their Node objects");
    TestNetwork network = closing(TestNetwork.of(2, folder));
    controlPlane.serve(network.hosts(), lifetime);
    pids.addAll(controlPlane.pids());
    say("starting the operator: waiting for its caches");
    closing(cluster.startOperator(folder.resolve("operator.log"), lifetime));
    for (TestHost host : network.hosts()) {
      cluster.kubectl("apply", "-f", nodeObject(host).toString());
      say("starting the agent of " + host.name() + ": it compiles the classifier");
      closing(host.startClusterAgent(cluster.agentKubeconfig(host.name()), lifetime));
    }
    ClusterTarget target = new ClusterTarget(cluster);
    cases(network, target);
    changeTheRate(network, target);
    target.remove("node-wide");
    String shown = whoIsLimited(network, target);
    removal(network.hosts(), target, shown);
    if (keep) {
      kept(controlPlane, network);
    }
  }

  private void kept(ControlPlane controlPlane, TestNetwork network) {
    new KeptDemo(
            List.copyOf(pids),
            network.namespaces(),
            network.hosts().stream().map(host -> host.bpffs().toString()).toList(),
            folder.toString())
        .keep();
    System.out.println("the cluster goes on; to use it:");
    System.out.println("  export KUBECONFIG=" + controlPlane.kubeconfig());
    System.out.println("  " + controlPlane.kubectl().get(0) + " get tbp,tbns");
    System.out.println("to end it:");
    System.out.println("  make demo-stop");
  }

  private void host() {
    say("making a host");
    TestNetwork network = closing(TestNetwork.of(1, folder));
    Path policies = folder.resolve("policies");
    try {
      Files.createDirectory(policies);
    } catch (IOException e) {
      throw new StepFailedException("making " + policies, e);
    }
    say("starting the agent: it compiles the classifier");
    Daemon agent =
        closing(network.hosts().get(0).startAgent(policies, Daemon.Lifetime.WITH_PARENT));
    FolderTarget target = new FolderTarget(policies, agent);
    cases(network, target);
    changeTheRate(network, target);
    target.remove("node-wide");
    String shown = whoIsLimited(network, target);
    removal(network.hosts(), target, shown);
  }

  private void cases(TestNetwork network, PolicyTarget target) {
    TestHost host = network.hosts().get(0);
    for (DemoCase shown : DemoCase.ALL) {
      say(shown.title() + ": " + shown.sample() + ".yaml, then traffic for 12 s");
      target.apply(sample(shown.sample()));
      target.awaitInForce(shown.sample());
      TrafficRun.Result result = shown.start(network, host, MEASURED_SECONDS, false).result();
      long drops = host.policy(shown.sample()).path("exceedPackets").asLong();
      table.header();
      table.rows(shown, result, drops);
      target.show();
      target.remove(shown.sample());
    }
  }

  private static Path sample(String name) {
    return Commands.repository().resolve("deploy/samples/" + name + ".yaml");
  }

  /**
   * Changes the rate under load, and determines from the arrivals when the new rate was in force.
   */
  private void changeTheRate(TestNetwork network, PolicyTarget target) {
    DemoCase shown = DemoCase.ALL.get(0);
    say("changing the rate from 2,000 to 5,000 packets/s under load");
    target.apply(sample(shown.sample()));
    target.awaitInForce(shown.sample());
    TestHost host = network.hosts().get(0);
    TrafficRun run = shown.start(network, host, 6, true);
    Daemon.pause(Duration.ofSeconds(2));
    long before = host.policy(shown.sample()).path("conformPackets").asLong();
    Path changed = changed(shown);
    long applied = System.nanoTime();
    target.apply(changed);
    long returned = System.nanoTime();
    List<Long> arrivals = run.result().received().arrivals();
    long inForce = reaches(arrivals, applied, (shown.rate() + CHANGED_RATE) / 2.0);
    double millis = (inForce - applied) / 1e6;
    double sinceReturned = (inForce - returned) / 1e6;
    double after = perSecond(arrivals, inForce + 100_000_000, 1);
    var policy = host.policy(shown.sample());
    System.out.printf(
        Locale.ROOT,
        "the new rate was in force %.0f ms after the command was started, %.0f ms after it ended:"
            + " %,.0f packets/s arrived in the second after that%n",
        millis,
        sinceReturned,
        after);
    System.out.printf(
        Locale.ROOT,
        "the counters went on: %,d packets conformed before the change, %,d at the end%n",
        before,
        policy.path("conformPackets").asLong());
    if (sinceReturned > 1_000 || Math.abs(after / CHANGED_RATE - 1) > 0.02) {
      throw new StepFailedException("the changed rate was not in force within a second", null);
    }
    if (policy.path("conformPackets").asLong() < before) {
      throw new StepFailedException("the change lost the policy's counters", null);
    }
    target.awaitInForce(shown.sample());
    target.show();
  }

  /**
   * Shows under load which sources are limited, and what a packet of one of them would meet.
   *
   * @return the policy that is left in force
   */
  private String whoIsLimited(TestNetwork network, PolicyTarget target) {
    DemoCase shown = DemoCase.ALL.stream().filter(DemoCase::perSource).findFirst().orElseThrow();
    TestHost host = network.hosts().get(0);
    say("who is limited, and what a packet would meet: " + shown.sample() + ".yaml, under load");
    target.apply(sample(shown.sample()));
    target.awaitInForce(shown.sample());
    TrafficRun run = shown.start(network, host, MEASURED_SECONDS, false);
    Daemon.pause(Duration.ofSeconds(2));
    ask(host, List.of("top", "--once"));
    String source = host.source(shown.senders().get(0).source());
    ask(
        host,
        List.of(
            "explain", "--in", "eth0", "--src", source, "--dst", host.address(), "--proto", "udp"));
    run.result();
    return shown.sample();
  }

  private static void ask(TestHost host, List<String> command) {
    System.out.println("$ tb " + String.join(" ", command) + "    # on " + host.name());
    System.out.print(Commands.run(host.tb(command.toArray(String[]::new))).indent(2));
  }

  private Path changed(DemoCase shown) {
    try {
      return write(
          shown.sample(),
          Files.readString(sample(shown.sample()))
              .replace("packetsPerSecond: 2k", "packetsPerSecond: " + CHANGED_RATE));
    } catch (IOException e) {
      throw new StepFailedException("reading " + sample(shown.sample()), e);
    }
  }

  private Path write(String name, String yaml) {
    Path file = folder.resolve(name + ".yaml");
    try {
      return Files.writeString(file, yaml);
    } catch (IOException e) {
      throw new StepFailedException("writing " + file, e);
    }
  }

  /** The end of the first tenth of a second whose arrivals reached {@code rate}. */
  private static long reaches(List<Long> arrivals, long from, double rate) {
    int window = (int) (rate * CHANGE_WINDOW_SECONDS);
    for (int i = 0; i + window < arrivals.size(); i++) {
      if (arrivals.get(i) >= from
          && arrivals.get(i + window) - arrivals.get(i) <= CHANGE_WINDOW_SECONDS * 1e9) {
        return arrivals.get(i + window);
      }
    }
    throw new StepFailedException("the changed rate was never seen in what arrived", null);
  }

  private static double perSecond(List<Long> arrivals, long from, double seconds) {
    long to = from + (long) (seconds * 1e9);
    return arrivals.stream().filter(at -> at >= from && at < to).count() / seconds;
  }

  private void removal(List<TestHost> hosts, PolicyTarget target, String name) {
    say("deleting the policy");
    target.remove(name);
    for (TestHost host : hosts) {
      System.out.println("$ tb status    # on " + host.name());
      System.out.print("  " + host.statusText());
      if (!host.status().path("hooks").isEmpty()
          || Files.exists(host.bpffs().resolve("tokenbucket"))) {
        throw new StepFailedException("the policy is deleted and left something behind", null);
      }
    }
    target.show();
  }

  private Path nodeObject(TestHost host) {
    return write(
        host.name(),
        """
        apiVersion: v1
        kind: Node
        metadata:
          name: %s
          labels:
            kubernetes.io/hostname: %s
        """
            .formatted(host.name(), host.name()));
  }

  static void deleteFolder(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    while (!toClose.isEmpty()) {
      try {
        toClose.pop().close();
      } catch (Exception e) {
        System.out.println("cleaning up: " + e.getMessage());
      }
    }
  }
}
