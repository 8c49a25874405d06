// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The place where a control plane runs, and the addresses on which it listens.
 *
 * @param inside wraps a command so that it runs at this place
 * @param bindAddress the address on which the API server listens
 * @param advertisedAddress the address that the API server announces to the cluster
 * @param server the API server's address as this process reaches it
 * @param certified the names in the API server's certificate
 * @param endpoints whether the API server maintains the endpoints of the service {@code kubernetes}
 */
public record ControlPlaneSite(
    UnaryOperator<List<String>> inside,
    String bindAddress,
    String advertisedAddress,
    int etcdPort,
    int peerPort,
    int apiPort,
    URI server,
    List<String> certified,
    boolean endpoints) {

  /** A site on this process's loopback interface, at ports that are free now. */
  public static ControlPlaneSite onLoopback() throws IOException {
    List<Integer> ports = freePorts(3);
    return new ControlPlaneSite(
        UnaryOperator.identity(),
        "127.0.0.1",
        "10.99.0.1",
        ports.get(0),
        ports.get(1),
        ports.get(2),
        URI.create("https://127.0.0.1:" + ports.get(2)),
        List.of("127.0.0.1"),
        false);
  }

  /** This site with additional options for the API server, such as {@code --emulated-version}. */
  public ControlPlaneSite withApiServerOptions(String... options) {
    return new ControlPlaneSite(
        command -> {
          List<String> all = new ArrayList<>(inside.apply(command));
          if (command.get(0).endsWith("kube-apiserver")) {
            all.addAll(List.of(options));
          }
          return List.copyOf(all);
        },
        bindAddress,
        advertisedAddress,
        etcdPort,
        peerPort,
        apiPort,
        server,
        certified,
        endpoints);
  }

  /** Ports of the loopback interface on which nothing listens now. */
  public static List<Integer> freePorts(int count) throws IOException {
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

  private String etcdAddress() {
    return "http://127.0.0.1:" + etcdPort;
  }

  /** etcd's command. */
  List<String> etcd(Path binaries, Path folder) {
    String peers = "http://127.0.0.1:" + peerPort;
    return inside.apply(
        List.of(
            binaries.resolve("etcd").toString(),
            "--data-dir=" + folder.resolve("etcd"),
            "--listen-client-urls=" + etcdAddress(),
            "--advertise-client-urls=" + etcdAddress(),
            "--listen-peer-urls=" + peers,
            "--initial-advertise-peer-urls=" + peers,
            "--initial-cluster=default=" + peers));
  }

  /** kube-apiserver's command. */
  List<String> apiServer(Path binaries, Certificates certificates) {
    List<String> command =
        List.of(
            binaries.resolve("kube-apiserver").toString(),
            "--etcd-servers=" + etcdAddress(),
            "--bind-address=" + bindAddress,
            "--secure-port=" + apiPort,
            "--advertise-address=" + advertisedAddress,
            "--endpoint-reconciler-type=" + (endpoints ? "lease" : "none"),
            "--tls-cert-file=" + certificates.file("apiserver.crt"),
            "--tls-private-key-file=" + certificates.file("apiserver.key"),
            "--client-ca-file=" + certificates.file("ca.crt"),
            "--service-account-key-file=" + certificates.file("service-accounts.pub"),
            "--service-account-signing-key-file=" + certificates.file("service-accounts.key"),
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction");
    List<String> withKubelets =
        List.of(
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-client-certificate=" + certificates.file("admin.crt"),
            "--kubelet-client-key=" + certificates.file("admin.key"));
    return inside.apply(
        endpoints ? Stream.concat(command.stream(), withKubelets.stream()).toList() : command);
  }
}
