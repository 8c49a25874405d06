// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A traffic source and hosts, each in its own network namespace. A veth pair joins each host to the
 * source; the host's end is {@code eth0} and carries its default route. Host n is 10.88.n.1 and
 * fd88:n::1; the source has the addresses 2, 3 and 4 of each host's network.
 */
public final class TestNetwork implements AutoCloseable {
  private static final String PREFIX = "tb-";

  /** The last parts of the source's addresses in each host's network. */
  public static final List<Integer> SOURCES = List.of(2, 3, 4);

  private final String source;
  private final List<TestHost> hosts;

  private TestNetwork(String source, List<TestHost> hosts) {
    this.source = source;
    this.hosts = hosts;
  }

  /**
   * Creates the network.
   *
   * @param folder holds one folder per host, with the host's BPF file system and its agent's state
   */
  public static TestNetwork of(int hosts, Path folder) {
    removeForgotten();
    String name = PREFIX + ProcessHandle.current().pid() + "-" + System.nanoTime() % 10_000;
    TestNetwork network = new TestNetwork(name + "-source", new ArrayList<>());
    try {
      Commands.run("ip", "netns", "add", network.source);
      Commands.run("ip", "-n", network.source, "link", "set", "lo", "up");
      for (int number = 1; number <= hosts; number++) {
        network.hosts.add(network.host(name + "-node-" + number, number, folder));
      }
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /** Removes namespaces of processes that were killed. A kept demo removes its own namespaces. */
  private static void removeForgotten() {
    for (String line : Commands.run("ip", "netns", "list").lines().toList()) {
      String name = line.replaceAll(" .*", "");
      if (name.matches("tb-\\d+-\\d+-(source|node-\\d+)")
          && ProcessHandle.of(Long.parseLong(name.split("-", 3)[1])).isEmpty()
          && !Files.exists(KeptDemo.FILE)) {
        Commands.tryRun("ip", "netns", "del", name);
      }
    }
  }

  private TestHost host(String namespace, int number, Path folder) {
    Commands.run("ip", "netns", "add", namespace);
    TestHost host = new TestHost(number, namespace, folder.resolve("node-" + number));
    String far = "to-" + number;
    Commands.run(
        "ip", "link", "add", far, "netns", source, "type", "veth", "peer", "name", "eth0", "netns",
        namespace);
    String net = "10.88." + number + ".";
    String net6 = "fd88:" + number + "::";
    for (int address : SOURCES) {
      Commands.run("ip", "-n", source, "addr", "add", net + address + "/24", "dev", far);
      Commands.run("ip", "-n", source, "addr", "add", net6 + address + "/64", "dev", far, "nodad");
    }
    Commands.run("ip", "-n", namespace, "addr", "add", host.address() + "/24", "dev", "eth0");
    Commands.run(
        "ip", "-n", namespace, "addr", "add", host.address6() + "/64", "dev", "eth0", "nodad");
    Commands.run("ip", "-n", source, "link", "set", far, "up");
    Commands.run("ip", "-n", namespace, "link", "set", "lo", "up");
    Commands.run("ip", "-n", namespace, "link", "set", "eth0", "up");
    Commands.run("ip", "-n", namespace, "route", "add", "default", "via", net + "2");
    awaitUp(source, far);
    awaitUp(namespace, "eth0");
    host.mountBpffs();
    return host;
  }

  /**
   * Waits until a link carries packets. The kernel handles a new carrier up to a second after the
   * link was set up, later on a busy machine, and drops packets that are sent before.
   */
  static void awaitUp(String namespace, String link) {
    Poll.until(
        "carrier of " + link + " in " + namespace,
        () -> Commands.run("ip", "-n", namespace, "link", "show", link).contains(" state UP "));
  }

  /** The hosts; the first one has number 1. */
  public List<TestHost> hosts() {
    return List.copyOf(hosts);
  }

  /** A command that runs at the traffic source. */
  public List<String> atSource(List<String> command) {
    return in(source, command);
  }

  /**
   * A command in a network namespace. {@code ip netns exec} would hide the host's /sys/fs/bpf;
   * entering only the network namespace does not.
   */
  public static List<String> in(String namespace, List<String> command) {
    return Stream.concat(Stream.of("nsenter", "--net=/run/netns/" + namespace), command.stream())
        .toList();
  }

  /** The created namespaces, so that the caller can remove them later. */
  List<String> namespaces() {
    return Stream.concat(Stream.of(source), hosts.stream().map(TestHost::namespace)).toList();
  }

  @Override
  public void close() {
    hosts.forEach(TestHost::close);
    Commands.tryRun("ip", "netns", "del", source);
  }
}
