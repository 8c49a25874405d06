// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.e2e;

import dev.tokenbucket.testing.Commands;
import dev.tokenbucket.testing.TestNetwork;
import java.util.ArrayList;
import java.util.List;

/**
 * The cluster's network. One namespace has the control plane and a bridge. Each node and a client
 * outside of the cluster have a namespace each, joined to the bridge by its {@code eth0}.
 *
 * <p>Node n is 10.99.0.n and its pods are 10.97.n.0/24; the control plane is 10.99.0.254, the
 * client 10.99.0.10 to 12. There is no kube-proxy: each node translates only the API server's
 * service address.
 */
public final class ClusterNetwork implements AutoCloseable {
  static final String CONTROL_ADDRESS = "10.99.0.254";
  static final String SERVICE_ADDRESS = "10.96.0.1";
  static final int API_PORT = 6443;

  /** The addresses of the client. */
  public static final List<String> CLIENT_ADDRESSES =
      List.of("10.99.0.10", "10.99.0.11", "10.99.0.12");

  private static final String PREFIX = "tbe2e-";
  private static final String BRIDGE = "nodes";
  private static final String SERVICE_RULES =
      """
      table ip services {
        chain from-pods {
          type nat hook prerouting priority -100;
          ip daddr %1$s tcp dport 443 dnat to %2$s
        }
        chain from-node {
          type nat hook output priority -100;
          ip daddr %1$s tcp dport 443 dnat to %2$s
        }
      }
      """
          .formatted(SERVICE_ADDRESS, CONTROL_ADDRESS + ":" + API_PORT);

  private final String name;
  private final int nodes;

  private ClusterNetwork(String name, int nodes) {
    this.name = name;
    this.nodes = nodes;
  }

  /** Creates the namespaces, including those of the nodes. */
  static ClusterNetwork of(int nodes) {
    removeForgotten();
    String name = PREFIX + ProcessHandle.current().pid() + "-" + System.nanoTime() % 10_000;
    ClusterNetwork network = new ClusterNetwork(name, nodes);
    try {
      network.makeControl();
      for (int number = 1; number <= nodes; number++) {
        network.makeNode(number);
      }
      network.join(network.client(), 10, CLIENT_ADDRESSES);
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private static void removeForgotten() {
    for (String line : Commands.run("ip", "netns", "list").lines().toList()) {
      String namespace = line.replaceAll(" .*", "");
      if (namespace.matches(PREFIX + "\\d+-\\d+-.*")
          && ProcessHandle.of(Long.parseLong(namespace.split("-", 3)[1])).isEmpty()) {
        Commands.tryRun("ip", "netns", "del", namespace);
      }
    }
  }

  static String nodeAddress(int number) {
    return "10.99.0." + number;
  }

  static String pods(int number) {
    return "10.97." + number + ".0/24";
  }

  /** The prefix of all names of this cluster. */
  String name() {
    return name;
  }

  String control() {
    return name + "-control";
  }

  String client() {
    return name + "-client";
  }

  String node(int number) {
    return name + "-n" + number;
  }

  private void makeControl() {
    addNamespace(control());
    Commands.run("ip", "-n", control(), "link", "add", BRIDGE, "type", "bridge");
    Commands.run("ip", "-n", control(), "addr", "add", CONTROL_ADDRESS + "/24", "dev", BRIDGE);
    Commands.run("ip", "-n", control(), "link", "set", BRIDGE, "up");
    routeToPods(control(), 0);
  }

  /** Creates a node's namespace, with the interfaces of a machine that has just started. */
  void makeNode(int number) {
    join(node(number), number, List.of(nodeAddress(number)));
    routeToPods(node(number), number);
    Commands.runWithInput(SERVICE_RULES, TestNetwork.in(node(number), List.of("nft", "-f", "-")));
  }

  /** Removes a node's namespace with its interfaces. */
  void removeNode(int number) {
    // Without this, the interface would disappear only some time after the namespace.
    Commands.run("ip", "-n", control(), "link", "del", "to-" + number);
    Commands.run("ip", "netns", "del", node(number));
  }

  private void routeToPods(String namespace, int except) {
    Commands.run(TestNetwork.in(namespace, List.of("sysctl", "-qw", "net.ipv4.ip_forward=1")));
    for (int number = 1; number <= nodes; number++) {
      if (number != except) {
        Commands.run(
            "ip", "-n", namespace, "route", "add", pods(number), "via", nodeAddress(number));
      }
    }
  }

  /**
   * Joins a namespace to the bridge. The MAC address of {@code eth0} is fixed, so that no neighbour
   * has a stale entry after the interface was recreated.
   */
  private void join(String namespace, int number, List<String> addresses) {
    addNamespace(namespace);
    String far = "to-" + number;
    Commands.run(
        List.of(
            "ip",
            "-n",
            control(),
            "link",
            "add",
            far,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "address",
            "02:00:0a:63:00:%02x".formatted(number),
            "netns",
            namespace));
    Commands.run("ip", "-n", control(), "link", "set", far, "master", BRIDGE, "up");
    for (String address : addresses) {
      Commands.run("ip", "-n", namespace, "addr", "add", address + "/24", "dev", "eth0");
    }
    Commands.run("ip", "-n", namespace, "link", "set", "eth0", "up");
    Commands.run("ip", "-n", namespace, "route", "add", "default", "via", CONTROL_ADDRESS);
  }

  private static void addNamespace(String namespace) {
    Commands.run("ip", "netns", "add", namespace);
    Commands.run("ip", "-n", namespace, "link", "set", "lo", "up");
  }

  /** A command that runs at the client. */
  public List<String> atClient(List<String> command) {
    return TestNetwork.in(client(), command);
  }

  /** A command that runs at the control plane. */
  public List<String> atControl(List<String> command) {
    return TestNetwork.in(control(), command);
  }

  @Override
  public void close() {
    List<String> namespaces = new ArrayList<>(List.of(client(), control()));
    for (int number = 1; number <= nodes; number++) {
      namespaces.add(node(number));
    }
    for (String namespace : namespaces) {
      Commands.tryRun("ip", "netns", "del", namespace);
    }
  }
}
