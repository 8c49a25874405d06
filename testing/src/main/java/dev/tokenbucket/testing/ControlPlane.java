// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigBuilder;
import io.fabric8.kubernetes.api.model.authentication.BoundObjectReference;
import io.fabric8.kubernetes.api.model.authentication.BoundObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
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
  private final Certificates certificates;
  private final List<Daemon> daemons;
  private final Supplier<Daemon> apiServerStart;
  private final KubernetesClient client;
  private Daemon apiServer;

  private ControlPlane(
      Path binaries,
      Path folder,
      Certificates certificates,
      List<Daemon> daemons,
      Supplier<Daemon> apiServerStart,
      Daemon apiServer,
      KubernetesClient client) {
    this.binaries = binaries;
    this.folder = folder;
    this.certificates = certificates;
    this.daemons = daemons;
    this.apiServerStart = apiServerStart;
    this.apiServer = apiServer;
    this.client = client;
  }

  /**
   * The folder with etcd, kube-apiserver and kubectl. Builds them if this machine has not done so
   * yet, with progress on standard error.
   *
   * @param arguments {@code nodes} to include the binaries that run nodes
   */
  public static Path binaries(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Commands.repository() + "/testing/controlplane/build.sh");
    command.addAll(List.of(arguments));
    try {
      Process build =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
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
   * Starts a control plane that keeps its data and logs in {@code folder}, and waits until it
   * serves.
   */
  public static ControlPlane start(Path folder, Daemon.Lifetime lifetime) {
    Path binaries = binaries();
    try {
      for (int i = 1; ; i++) {
        try {
          return start(folder, lifetime, binaries, ControlPlaneSite.onLoopback());
        } catch (StepFailedException e) {
          // Another process may take a free port before the control plane listens on it.
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

  /** Starts a control plane at a site whose ports nobody else can take. */
  public static ControlPlane start(
      Path folder, Daemon.Lifetime lifetime, Path binaries, ControlPlaneSite site)
      throws IOException {
    Files.createDirectories(folder);
    Certificates certificates = new Certificates(folder, site.certified());
    List<Daemon> daemons = new ArrayList<>();
    try {
      daemons.add(
          Daemon.start(
              "etcd", site.etcd(binaries, folder), Map.of(), folder.resolve("etcd.log"), lifetime));
      List<String> command = site.apiServer(binaries, certificates);
      Path log = folder.resolve("kube-apiserver.log");
      Supplier<Daemon> apiServerStart =
          () -> Daemon.start("kube-apiserver", command, Map.of(), log, lifetime);
      Daemon apiServer = apiServerStart.get();
      daemons.add(apiServer);
      Path kubeconfig = folder.resolve("kubeconfig");
      Files.writeString(
          kubeconfig, certificateKubeconfig(site.server().toString(), certificates, "admin"));
      KubernetesClient client =
          new KubernetesClientBuilder()
              .withConfig(Config.fromKubeconfig(Files.readString(kubeconfig)))
              .withKubernetesSerialization(ofAnyVersion())
              .build();
      apiServer.await("readiness", READY, () -> ready(client));
      return new ControlPlane(
          binaries, folder, certificates, daemons, apiServerStart, apiServer, client);
    } catch (IOException | RuntimeException e) {
      daemons.forEach(Daemon::close);
      throw e;
    }
  }

  /** Accepts fields and values of a later version. */
  private static KubernetesSerialization ofAnyVersion() {
    return new KubernetesSerialization(
        new ObjectMapper()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL),
        true);
  }

  private static boolean ready(KubernetesClient client) {
    try {
      return "ok".equals(client.raw("/readyz"));
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  private static String certificateKubeconfig(String server, Certificates certificates, String name)
      throws IOException {
    return Serialization.asYaml(
        cluster(server, base64(certificates.file("ca.crt")))
            .addNewUser()
            .withName("user")
            .withNewUser()
            .withClientCertificateData(base64(certificates.file(name + ".crt")))
            .withClientKeyData(base64(certificates.file(name + ".key")))
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

  /**
   * A kubeconfig file for a component of the cluster, with a newly issued certificate.
   *
   * @param name the name of the files
   * @param subject a distinguished name, such as {@code O=system:nodes,CN=system:node:n1}
   * @param server the API server's address as the component reaches it
   */
  public Path componentKubeconfig(String name, String subject, URI server) {
    Path file = folder.resolve("kubeconfig-" + name);
    try {
      certificates.issueClient(name, subject);
      Files.writeString(file, certificateKubeconfig(server.toString(), certificates, name));
    } catch (IOException e) {
      throw new StepFailedException("writing " + file, e);
    }
    return file;
  }

  /** The authority and the certificates that it has issued. */
  public Certificates certificates() {
    return certificates;
  }

  /** A kubeconfig file for a service account, with a token that is valid for a day. */
  public Path serviceAccountKubeconfig(String namespace, String name) {
    return tokenKubeconfig(name, server(), token(namespace, name, null));
  }

  /** A kubeconfig file for a service account, for a proxy that has the API server's certificate. */
  public Path serviceAccountKubeconfig(String namespace, String name, URI proxy) {
    return tokenKubeconfig(name + "-by-" + proxy.getPort(), proxy, token(namespace, name, null));
  }

  /**
   * A kubeconfig file for a service account, with a token bound to a node. The token names the
   * node, and is valid only as long as the node exists.
   */
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

  /** A kubeconfig file whose only credential is this token. */
  public Path tokenKubeconfig(String name, URI server, String token) {
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

  /** The API server's address. */
  public URI server() {
    return URI.create(client.getMasterUrl().toString().replaceAll("/$", ""));
  }

  /** A context that serves with the API server's certificate. */
  public SSLContext serving() {
    return Certificates.serving(folder.resolve("apiserver.crt"), folder.resolve("apiserver.key"));
  }

  /** A context that trusts only the API server's certificate. */
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

  /** A kubectl command with the administrator's rights and these arguments. */
  public List<String> kubectl(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(binaries.resolve("kubectl").toString());
    command.add("--kubeconfig=" + kubeconfig());
    command.addAll(List.of(arguments));
    return command;
  }

  /**
   * Lets hosts reach the API server, which listens on the loopback interface outside of their
   * namespaces.
   */
  public void serve(List<TestHost> hosts, Daemon.Lifetime lifetime) {
    serve(hosts, client.getMasterUrl().getPort(), lifetime);
  }

  /**
   * Lets hosts reach a proxy in front of the API server.
   *
   * @param port the proxy's port on the loopback interface
   */
  public void serve(List<TestHost> hosts, int port, Daemon.Lifetime lifetime) {
    Path socket = folder.resolve("api-" + port + ".socket");
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

  /** Kills the API server with kill -9 and starts a new one with the same data and port. */
  public void restartApiServer() {
    stopApiServer();
    startApiServer();
  }

  /** Kills the API server with kill -9. */
  public void stopApiServer() {
    apiServer.kill();
    daemons.remove(apiServer);
  }

  /** Starts a new API server with the data and port of the one that was stopped. */
  public void startApiServer() {
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

  /** The process ids, so that the caller can end the processes later. */
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
