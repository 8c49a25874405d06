package dev.tokenbucket.testing;

import io.fabric8.kubernetes.api.model.ConfigBuilder;
import io.fabric8.kubernetes.api.model.authentication.BoundObjectReference;
import io.fabric8.kubernetes.api.model.authentication.BoundObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** etcd and kube-apiserver on loopback, with certificates and ports of their own. */
public final class ControlPlane implements AutoCloseable {
  private static final Duration READY = Duration.ofMinutes(2);
  private static final int START_TRIES = 3;

  private final Path binaries;
  private final Path folder;
  private final List<Daemon> daemons;
  private final Supplier<Daemon> apiServerStart;
  private final KubernetesClient client;
  private Daemon apiServer;

  private ControlPlane(
      Path binaries,
      Path folder,
      List<Daemon> daemons,
      Supplier<Daemon> apiServerStart,
      Daemon apiServer,
      KubernetesClient client) {
    this.binaries = binaries;
    this.folder = folder;
    this.daemons = daemons;
    this.apiServerStart = apiServerStart;
    this.apiServer = apiServer;
    this.client = client;
  }

  /**
   * The folder with etcd, kube-apiserver and kubectl; built now where this machine never did, with
   * progress on standard error.
   */
  public static Path binaries() {
    try {
      Process build =
          new ProcessBuilder(Commands.repository() + "/testing/controlplane/build.sh")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (build.waitFor() != 0) {
        throw new StepFailedException("testing/controlplane/build.sh failed, see above", null);
      }
      return Path.of(output.strip());
    } catch (IOException e) {
      throw new StepFailedException("testing/controlplane/build.sh: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StepFailedException("interrupted in testing/controlplane/build.sh", e);
    }
  }

  /**
   * Starts a control plane whose data and logs are in {@code folder}, and waits until it serves.
   */
  public static ControlPlane start(Path folder, Daemon.Lifetime lifetime) {
    Path binaries = binaries();
    try {
      Files.createDirectories(folder);
      Certificates certificates = new Certificates(folder);
      for (int i = 1; ; i++) {
        try {
          return tryStart(binaries, folder, certificates, lifetime);
        } catch (StepFailedException e) {
          // Between our finding a port free and its being listened on, another may take it.
          if (i == START_TRIES || !portTaken(folder)) {
            throw e;
          }
        }
      }
    } catch (IOException e) {
      throw new StepFailedException("writing to " + folder + ": " + e.getMessage(), e);
    }
  }

  private static boolean portTaken(Path folder) throws IOException {
    for (String log : List.of("etcd.log", "kube-apiserver.log")) {
      Path file = folder.resolve(log);
      if (Files.exists(file) && Files.readString(file).contains("address already in use")) {
        Files.delete(file);
        return true;
      }
    }
    return false;
  }

  private static ControlPlane tryStart(
      Path binaries, Path folder, Certificates certificates, Daemon.Lifetime lifetime)
      throws IOException {
    List<Daemon> daemons = new ArrayList<>();
    try {
      List<Integer> ports = freePorts(3);
      String etcd = "http://127.0.0.1:" + ports.get(0);
      daemons.add(
          Daemon.start(
              "etcd",
              etcd(binaries, folder, etcd, "http://127.0.0.1:" + ports.get(1)),
              Map.of(),
              folder.resolve("etcd.log"),
              lifetime));
      String server = "https://127.0.0.1:" + ports.get(2);
      List<String> command = apiServer(binaries, certificates, etcd, ports.get(2));
      Path log = folder.resolve("kube-apiserver.log");
      Supplier<Daemon> apiServerStart =
          () -> Daemon.start("kube-apiserver", command, Map.of(), log, lifetime);
      Daemon apiServer = apiServerStart.get();
      daemons.add(apiServer);
      Path kubeconfig = folder.resolve("kubeconfig");
      Files.writeString(kubeconfig, adminKubeconfig(server, certificates));
      KubernetesClient client =
          new KubernetesClientBuilder()
              .withConfig(Config.fromKubeconfig(Files.readString(kubeconfig)))
              .build();
      apiServer.await("readiness", READY, () -> ready(client));
      return new ControlPlane(binaries, folder, daemons, apiServerStart, apiServer, client);
    } catch (IOException | RuntimeException e) {
      daemons.forEach(Daemon::close);
      throw e;
    }
  }

  private static List<String> etcd(Path binaries, Path folder, String clients, String peers) {
    return List.of(
        binaries.resolve("etcd").toString(),
        "--data-dir=" + folder.resolve("etcd"),
        "--listen-client-urls=" + clients,
        "--advertise-client-urls=" + clients,
        "--listen-peer-urls=" + peers,
        "--initial-advertise-peer-urls=" + peers,
        "--initial-cluster=default=" + peers);
  }

  private static List<String> apiServer(
      Path binaries, Certificates certificates, String etcd, int port) {
    return List.of(
        binaries.resolve("kube-apiserver").toString(),
        "--etcd-servers=" + etcd,
        "--bind-address=127.0.0.1",
        "--secure-port=" + port,
        "--advertise-address=10.99.0.1",
        "--endpoint-reconciler-type=none",
        "--tls-cert-file=" + certificates.file("apiserver.crt"),
        "--tls-private-key-file=" + certificates.file("apiserver.key"),
        "--client-ca-file=" + certificates.file("ca.crt"),
        "--service-account-key-file=" + certificates.file("service-accounts.pub"),
        "--service-account-signing-key-file=" + certificates.file("service-accounts.key"),
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction");
  }

  private static boolean ready(KubernetesClient client) {
    try {
      return "ok".equals(client.raw("/readyz"));
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  private static List<Integer> freePorts(int count) throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        held.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      return held.stream().map(ServerSocket::getLocalPort).toList();
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }

  private static String adminKubeconfig(String server, Certificates certificates)
      throws IOException {
    return Serialization.asYaml(
        cluster(server, base64(certificates.file("ca.crt")))
            .addNewUser()
            .withName("user")
            .withNewUser()
            .withClientCertificateData(base64(certificates.file("admin.crt")))
            .withClientKeyData(base64(certificates.file("admin.key")))
            .endUser()
            .endUser()
            .build());
  }

  private static String base64(Path file) throws IOException {
    return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
  }

  private static ConfigBuilder cluster(String server, String authority) {
    return new ConfigBuilder()
        .withApiVersion("v1")
        .withKind("Config")
        .withCurrentContext("tokenbucket")
        .addNewCluster()
        .withName("tokenbucket")
        .withNewCluster()
        .withServer(server)
        .withCertificateAuthorityData(authority)
        .endCluster()
        .endCluster()
        .addNewContext()
        .withName("tokenbucket")
        .withNewContext()
        .withCluster("tokenbucket")
        .withUser("user")
        .endContext()
        .endContext();
  }

  /** A kubeconfig file for a service account, with a token good for a day. */
  public Path serviceAccountKubeconfig(String namespace, String name) {
    return tokenKubeconfig(name, server(), token(namespace, name, null));
  }

  /** The same, by way of a proxy that has the API server's certificate. */
  public Path serviceAccountKubeconfig(String namespace, String name, URI proxy) {
    return tokenKubeconfig(name + "-by-" + proxy.getPort(), proxy, token(namespace, name, null));
  }

  /** The same, with a token that is bound to a node: it says so, and ends with the node. */
  public Path nodeBoundKubeconfig(String namespace, String name, String node) {
    return tokenKubeconfig(name + "-" + node, server(), nodeBoundToken(namespace, name, node));
  }

  /** A service account's token that is bound to a node. */
  public String nodeBoundToken(String namespace, String name, String node) {
    return token(
        namespace,
        name,
        new BoundObjectReferenceBuilder()
            .withApiVersion("v1")
            .withKind("Node")
            .withName(node)
            .withUid(client.nodes().withName(node).get().getMetadata().getUid())
            .build());
  }

  private String token(String namespace, String name, @Nullable BoundObjectReference bound) {
    TokenRequest request =
        new TokenRequestBuilder()
            .withNewSpec()
            .withExpirationSeconds(86_400L)
            .withBoundObjectRef(bound)
            .endSpec()
            .build();
    return client
        .serviceAccounts()
        .inNamespace(namespace)
        .withName(name)
        .tokenRequest(request)
        .getStatus()
        .getToken();
  }

  private Path tokenKubeconfig(String name, URI server, String token) {
    Path file = folder.resolve("kubeconfig-" + name);
    try {
      Files.writeString(
          file,
          Serialization.asYaml(
              cluster(server.toString(), base64(folder.resolve("ca.crt")))
                  .addNewUser()
                  .withName("user")
                  .withNewUser()
                  .withToken(token)
                  .endUser()
                  .endUser()
                  .build()));
    } catch (IOException e) {
      throw new StepFailedException("writing " + file, e);
    }
    return file;
  }

  /** Where the API server is. */
  public URI server() {
    return URI.create(client.getMasterUrl().toString().replaceAll("/$", ""));
  }

  /** Serves with the API server's certificate. */
  public SSLContext serving() {
    return Certificates.serving(folder.resolve("apiserver.crt"), folder.resolve("apiserver.key"));
  }

  /** Trusts the API server's certificate, and no other. */
  public SSLContext trust() {
    return Certificates.trusting(folder.resolve("ca.crt"));
  }

  /** The administrator's kubeconfig. */
  public Path kubeconfig() {
    return folder.resolve("kubeconfig");
  }

  /** A client with the administrator's rights. */
  public KubernetesClient client() {
    return client;
  }

  /** kubectl with the administrator's rights, and these arguments. */
  public List<String> kubectl(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(binaries.resolve("kubectl").toString());
    command.add("--kubeconfig=" + kubeconfig());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Lets hosts reach the API server, which listens on the loopback outside of theirs. */
  public void serve(List<TestHost> hosts, Daemon.Lifetime lifetime) {
    int port = client.getMasterUrl().getPort();
    Path socket = folder.resolve("api.socket");
    Daemon outside =
        Daemon.start(
            "the API server's relay",
            List.of("socat", "UNIX-LISTEN:" + socket + ",fork,mode=600", "TCP:127.0.0.1:" + port),
            Map.of(),
            folder.resolve("relay.log"),
            lifetime);
    daemons.add(outside);
    outside.await("socket", Duration.ofSeconds(10), () -> Files.exists(socket));
    hosts.forEach(host -> daemons.add(host.relay(port, socket, lifetime)));
  }

  /** kill -9 of the API server, and a new one over the same data, on the same port. */
  public void restartApiServer() {
    apiServer.kill();
    daemons.remove(apiServer);
    apiServer = apiServerStart.get();
    daemons.add(apiServer);
    apiServer.await("readiness", READY, () -> ready(client));
  }

  /** etcd's process id. */
  public long etcdPid() {
    return daemons.get(0).pid();
  }

  /** kube-apiserver's process id. */
  public long apiServerPid() {
    return apiServer.pid();
  }

  /** The processes, for whoever is to end them later. */
  public List<Long> pids() {
    return daemons.stream().map(Daemon::pid).toList();
  }

  @Override
  public void close() {
    client.close();
    for (int i = daemons.size() - 1; i >= 0; i--) {
      daemons.get(i).close();
    }
  }
}
