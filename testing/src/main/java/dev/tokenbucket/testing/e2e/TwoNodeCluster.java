// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.ControlPlane;
import dev.tokenbucket.testing.ControlPlaneSite;
import dev.tokenbucket.testing.Daemon;
import dev.tokenbucket.testing.InParallel;
import dev.tokenbucket.testing.Poll;
import dev.tokenbucket.testing.StepFailedException;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * etcd, kube-apiserver, controller manager, scheduler and two nodes, all real and on this machine.
 */
public final class TwoNodeCluster implements AutoCloseable {
  private static final int NODES = 2;
  private static final Duration READY = Duration.ofMinutes(3);
  private static final Daemon.Lifetime LIFETIME = Daemon.Lifetime.WITH_PARENT;
  private static final URI SERVER =
      URI.create("https://" + ClusterNetwork.CONTROL_ADDRESS + ":" + ClusterNetwork.API_PORT);

  private final Path folder;
  private final Path binaries;
  private final ClusterNetwork network;
  private final ControlPlane controlPlane;
  private final List<ClusterNode> nodes = new ArrayList<>();
  private final List<Daemon> controllers = new ArrayList<>();
  private final Deque<AutoCloseable> undo;

  private TwoNodeCluster(
      Path folder,
      Path binaries,
      ClusterNetwork network,
      ControlPlane controlPlane,
      Deque<AutoCloseable> undo) {
    this.folder = folder;
    this.binaries = binaries;
    this.network = network;
    this.controlPlane = controlPlane;
    this.undo = undo;
  }

  /**
   * Starts the cluster and waits until both nodes are ready.
   *
   * @param folder for data and logs; a socket in it must have a path of less than 108 characters
   * @param images archives that each node imports before its kubelet starts
   */
  public static TwoNodeCluster start(Path folder, List<Path> images) {
    Path binaries = ControlPlane.binaries("nodes");
    Deque<AutoCloseable> undo = new ArrayDeque<>();
    try {
      Files.createDirectories(folder);
      PauseImage pause = PauseImage.build(folder.resolve("pause"));
      ClusterNetwork network = ClusterNetwork.of(NODES);
      undo.push(network);
      int port = ControlPlaneSite.freePorts(1).get(0);
      relay(folder, network, port, undo);
      ControlPlane controlPlane =
          ControlPlane.start(folder.resolve("control"), LIFETIME, binaries, site(network, port));
      undo.push(controlPlane);
      TwoNodeCluster cluster = new TwoNodeCluster(folder, binaries, network, controlPlane, undo);
      cluster.startControllers();
      cluster.startNodes(pause, images);
      return cluster;
    } catch (IOException e) {
      undoAll(undo);
      throw new StepFailedException("starting a cluster in " + folder + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      undoAll(undo);
      throw e;
    }
  }

  private static ControlPlaneSite site(ClusterNetwork network, int port) {
    return new ControlPlaneSite(
        network::atControl,
        "0.0.0.0",
        ClusterNetwork.CONTROL_ADDRESS,
        2379,
        2380,
        ClusterNetwork.API_PORT,
        URI.create("https://127.0.0.1:" + port),
        List.of("127.0.0.1", ClusterNetwork.CONTROL_ADDRESS, ClusterNetwork.SERVICE_ADDRESS),
        true);
  }

  /** Lets this process reach the API server, which is in another network namespace. */
  private static void relay(
      Path folder, ClusterNetwork network, int port, Deque<AutoCloseable> undo) {
    Path socket = folder.resolve("api.socket");
    Daemon inner =
        Daemon.start(
            "the API server's inner relay",
            network.atControl(
                List.of(
                    "socat",
                    "UNIX-LISTEN:" + socket + ",fork,mode=600",
                    "TCP:" + ClusterNetwork.CONTROL_ADDRESS + ":" + ClusterNetwork.API_PORT)),
            Map.of(),
            folder.resolve("relay.log"),
            LIFETIME);
    undo.push(inner);
    inner.await("socket", Duration.ofSeconds(10), () -> Files.exists(socket));
    undo.push(
        Daemon.start(
            "the API server's outer relay",
            List.of(
                "socat",
                "TCP-LISTEN:" + port + ",bind=127.0.0.1,fork,reuseaddr",
                "UNIX-CONNECT:" + socket),
            Map.of(),
            folder.resolve("relay.log"),
            LIFETIME));
  }

  private void startControllers() {
    Path certificates = folder.resolve("control");
    startComponent(
        "kube-controller-manager",
        List.of(
            "--use-service-account-credentials=true",
            // makes a silent node NotReady sooner than the default of 50 s
            "--node-monitor-grace-period=12s",
            "--node-monitor-period=1s",
            "--service-account-private-key-file=" + certificates.resolve("service-accounts.key"),
            "--root-ca-file=" + certificates.resolve("ca.crt")));
    startComponent("kube-scheduler", List.of());
  }

  private void startComponent(String name, List<String> options) {
    Path kubeconfig = controlPlane.componentKubeconfig(name, "CN=system:" + name, SERVER);
    List<String> command = new ArrayList<>();
    command.add(binaries.resolve(name).toString());
    command.add("--kubeconfig=" + kubeconfig);
    command.add("--bind-address=127.0.0.1");
    command.add("--leader-elect=false");
    command.addAll(options);
    Daemon component =
        Daemon.start(
            name, network.atControl(command), Map.of(), folder.resolve(name + ".log"), LIFETIME);
    controllers.add(component);
    undo.push(component);
  }

  /**
   * Stops the API server, and with it controller manager and scheduler. In a real cluster both
   * would lose their leases and end. If they kept running here, they would trust caches older than
   * their own writes for up to a minute after the API server is back.
   */
  public void stopApiServer() {
    controllers.forEach(Daemon::close);
    controllers.clear();
    controlPlane.stopApiServer();
  }

  /** Starts what {@link #stopApiServer} stopped. */
  public void startApiServer() {
    controlPlane.startApiServer();
    startControllers();
  }

  private void startNodes(PauseImage pause, List<Path> images) throws IOException {
    for (int number = 1; number <= NODES; number++) {
      NodeSettings settings =
          new NodeSettings(number, folder.resolve("n" + number), "/" + network.node(number));
      settings.write(controlPlane.certificates());
      Path kubeconfig =
          controlPlane.componentKubeconfig(
              settings.name(), "O=system:nodes,CN=system:node:" + settings.name(), SERVER);
      ClusterNode node =
          new ClusterNode(network, settings, binaries.resolve("kubelet"), kubeconfig, pause);
      undo.push(node);
      nodes.add(node);
    }
    InParallel.forEach(
        nodes,
        NODES,
        node -> {
          node.boot();
          node.importImage(pause.archive());
          images.forEach(node::importImage);
          node.startKubelet();
        });
    nodes.forEach(this::awaitReady);
  }

  /** Waits until a node is ready, as its present kubelet reports. */
  public void awaitReady(ClusterNode node) {
    Poll.until(
        "readiness of " + node.name() + ", whose logs are in " + node.folder(),
        READY,
        () -> isReady(node));
  }

  /** Whether a node is ready, as its present kubelet reports. */
  public boolean isReady(ClusterNode node) {
    try {
      Node found = client().nodes().withName(node.name()).get();
      return found != null
          && found.getStatus().getConditions().stream()
              .filter(condition -> condition.getType().equals("Ready"))
              .filter(condition -> condition.getStatus().equals("True"))
              .map(condition -> Instant.parse(condition.getLastHeartbeatTime()))
              .anyMatch(heard -> !heard.isBefore(node.kubeletSince()));
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  /** Whether the API server knows a token and the token is still valid. */
  public boolean accepts(String token) {
    return Boolean.TRUE.equals(
        client()
            .resource(new TokenReviewBuilder().withNewSpec().withToken(token).endSpec().build())
            .create()
            .getStatus()
            .getAuthenticated());
  }

  /** The nodes; the first one is n1. */
  public List<ClusterNode> nodes() {
    return List.copyOf(nodes);
  }

  public ClusterNetwork network() {
    return network;
  }

  public ControlPlane controlPlane() {
    return controlPlane;
  }

  /** A client with the administrator's rights. */
  public KubernetesClient client() {
    return controlPlane.client();
  }

  /** Runs kubectl as the administrator. */
  public String kubectl(String... arguments) {
    return Commands.run(controlPlane.kubectl(arguments));
  }

  @Override
  public void close() {
    undoAll(undo);
  }

  private static void undoAll(Deque<AutoCloseable> undo) {
    StepFailedException failed = null;
    while (!undo.isEmpty()) {
      try {
        undo.pop().close();
      } catch (Exception e) {
        failed = new StepFailedException("ending the cluster: " + e.getMessage(), e);
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
