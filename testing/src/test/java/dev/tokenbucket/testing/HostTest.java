// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * One host with its agent for all tests of a class, and sockets on both sides of its link. Each
 * test names its policies differently, so that none begins with another's buckets. Needs root.
 */
@ExtendWith(RequiresRoot.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class HostTest {
  /** The longest time that a packet may take if it is not dropped. */
  private static final int SILENCE_MILLIS = 300;

  TestNetwork network;
  TestHost host;
  Daemon agent;
  private Path partial;
  private Path policies;

  @BeforeAll
  void makeAHostAndStartItsAgent(@TempDir Path work) throws IOException {
    partial = work.resolve("policies.partial");
    policies = Files.createDirectory(work.resolve("policies"));
    network = TestNetwork.of(hosts(), work);
    host = network.hosts().get(0);
    agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, agentOptions());
  }

  @AfterAll
  void removeIt() {
    if (agent != null) {
      agent.close();
    }
    if (network != null) {
      network.close();
    }
  }

  void restartAgent() {
    agent.close();
    agent = host.startAgent(policies, Daemon.Lifetime.WITH_PARENT, agentOptions());
  }

  int hosts() {
    return 1;
  }

  String[] agentOptions() {
    return new String[0];
  }

  /** Removes all policies. */
  void removePolicies() throws IOException {
    Files.deleteIfExists(policies.resolve("policies.yaml"));
  }

  /** Replaces the policies by these, and waits until a program for them is on a hook. */
  void apply(String yaml) throws IOException {
    int heard = write(yaml);
    awaitAfter(heard, "the programs of a new set", "(attached to|replaced the program of)");
  }

  /** Changes parameters of existing policies, and waits until they are in force. */
  void change(String yaml) throws IOException {
    int heard = write(yaml);
    awaitAfter(heard, "new parameters", "programmed ");
    // a change lies 50 ms ahead
    Daemon.pause(Duration.ofMillis(100));
  }

  /** Returns the log's length before the change. */
  int write(String yaml) throws IOException {
    int heard = agent.log().length();
    Files.writeString(partial, yaml);
    Files.move(partial, policies.resolve("policies.yaml"), StandardCopyOption.REPLACE_EXISTING);
    return heard;
  }

  private void awaitAfter(int heard, String what, String expression) {
    Pattern pattern = Pattern.compile(expression);
    agent.await(
        what, Duration.ofSeconds(20), () -> pattern.matcher(agent.log().substring(heard)).find());
  }

  static String policy(String name, String spec) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec: {%s}
    ---
    """
        .formatted(name, spec);
  }

  /** The source of the traffic. */
  String sourceNamespace() {
    return network.namespaces().get(0);
  }

  DatagramSocket atHost(String address, int port) throws Exception {
    return bound(host.namespace(), address, port);
  }

  DatagramSocket atSource(String address) throws Exception {
    return bound(sourceNamespace(), address, 0);
  }

  static DatagramSocket bound(String namespace, String address, int port) throws Exception {
    return Inside.call(
        namespace,
        () -> {
          DatagramSocket socket =
              new DatagramSocket(new InetSocketAddress(InetAddress.getByName(address), port));
          socket.setSoTimeout(SILENCE_MILLIS);
          return socket;
        });
  }

  /** Sends this many datagrams of 64 bytes, and returns how many arrive. */
  static int arriving(int count, DatagramSocket from, DatagramSocket to) throws IOException {
    send(count, from, to);
    return received(to);
  }

  static void send(int count, DatagramSocket from, DatagramSocket to) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[64], 64, to.getLocalSocketAddress());
    for (int i = 0; i < count; i++) {
      from.send(packet);
    }
  }

  static int received(DatagramSocket at) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
    int received = 0;
    try {
      while (true) {
        at.receive(packet);
        received++;
      }
    } catch (SocketTimeoutException e) {
      return received;
    }
  }

  void atHostRun(String... command) {
    Commands.run(host.inside(List.of(command)));
  }

  void atSourceRun(String... command) {
    Commands.run(network.atSource(List.of(command)));
  }
}
