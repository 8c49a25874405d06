// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Certificates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A node's files, which configure its kubelet and its containerd.
 *
 * @param folder the node's disk
 */
record NodeSettings(int number, Path folder, String cgroup) {
  /** The image of every pod's sandbox, made by {@link PauseImage}. */
  static final String SANDBOX = "localhost/tokenbucket-testing/pause:1";

  /** The values that kubelet insists on; the machine's own values do not change. */
  static final Map<String, String> SYSCTLS =
      Map.of(
          "vm/overcommit_memory", "1",
          "vm/panic_on_oom", "0",
          "kernel/panic", "10",
          "kernel/panic_on_oops", "1",
          "kernel/keys/root_maxkeys", "1000000",
          "kernel/keys/root_maxbytes", "25000000");

  private static final String CONTAINERD =
      """
      version = 2
      root = "%1$s/containerd"
      state = "/run/containerd/state"
      [grpc]
      address = "/run/containerd/containerd.sock"
      [plugins."io.containerd.grpc.v1.cri"]
      sandbox_image = "%2$s"
      disable_apparmor = true
      restrict_oom_score_adj = true
      stream_server_address = "127.0.0.1"
      [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "/usr/lib/cni"
      conf_dir = "%1$s/cni"
      [plugins."io.containerd.grpc.v1.cri".containerd]
      snapshotter = "overlayfs"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "/run/runc"
      """;
  private static final String PODS_NETWORK =
      """
      {"cniVersion": "0.4.0", "name": "pods", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false,
         "ipam": {"type": "host-local", "dataDir": "/run/cni",
                  "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "loopback"}]}
      """;
  private static final String KUBELET =
      """
      apiVersion: kubelet.config.k8s.io/v1beta1
      kind: KubeletConfiguration
      failCgroupV1: false
      cgroupDriver: cgroupfs
      cgroupRoot: %1$s
      enforceNodeAllocatable: []
      containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
      address: %2$s
      port: 10250
      readOnlyPort: 0
      healthzBindAddress: 127.0.0.1
      authentication:
        anonymous: {enabled: false}
        webhook: {enabled: true}
        x509: {clientCAFile: %3$s}
      authorization: {mode: Webhook}
      tlsCertFile: %4$s
      tlsPrivateKeyFile: %5$s
      failSwapOn: false
      resolvConf: /etc/resolv.conf
      clusterDNS: [10.96.0.10]
      volumePluginDir: %6$s/plugins
      nodeStatusUpdateFrequency: 2s
      nodeLeaseDurationSeconds: 8
      syncFrequency: 2s
      localStorageCapacityIsolation: false
      evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, imagefs.available: 1%%}
      """;

  String name() {
    return "n" + number;
  }

  String address() {
    return ClusterNetwork.nodeAddress(number);
  }

  /** Creates all files and folders of a node's disk. */
  void write(Certificates certificates) throws IOException {
    for (String part : List.of("cni", "containerd", "lib", "log", "sysctl", "plugins")) {
      Files.createDirectories(folder.resolve(part));
    }
    certificates.issueServer(
        name() + "-serving", "O=system:nodes,CN=system:node:" + name(), List.of(address()));
    Files.writeString(containerdFile(), CONTAINERD.formatted(folder, SANDBOX));
    Files.writeString(
        folder.resolve("cni/10-pods.conflist"),
        PODS_NETWORK.formatted(ClusterNetwork.pods(number)));
    Files.writeString(
        kubeletFile(),
        KUBELET.formatted(
            cgroup,
            address(),
            certificates.file("ca.crt"),
            certificates.file(name() + "-serving.crt"),
            certificates.file(name() + "-serving.key"),
            folder));
    for (Map.Entry<String, String> sysctl : SYSCTLS.entrySet()) {
      Files.writeString(sysctlFile(sysctl.getKey()), sysctl.getValue() + "\n");
    }
  }

  Path containerdFile() {
    return folder.resolve("containerd.toml");
  }

  Path kubeletFile() {
    return folder.resolve("kubelet.yaml");
  }

  /** The file that stands for a sysctl on this node. */
  Path sysctlFile(String sysctl) {
    return folder.resolve("sysctl").resolve(sysctl.replace('/', '.'));
  }
}
