// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.kernel.Capture;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Frames that this host's own stack makes, over loopback and a veth pair in a network namespace of
 * their own: UDP whole and in fragments, TCP connections and their data, ICMP, ARP, neighbour
 * discovery and multicast reports, over IPv4 and IPv6.
 */
final class Captures {
  private static final String[] SETUP = {
    "ip link set lo up",
    "ip link add v0 type veth peer name v1",
    "ip addr add 10.77.0.1/24 dev v0",
    "ip -6 addr add fd77::1/64 dev v0 nodad",
    "ip link set v0 up",
    "ip link set v1 up",
    "ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev v0",
    "ip -6 neigh add fd77::2 lladdr 02:00:00:00:00:02 dev v0",
  };
  private static final int[] SIZES = {0, 1, 100, 1400, 4000};

  private Captures() {}

  /** Some dozens of frames, each cut to this many bytes. */
  static List<byte[]> take(int longest) throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Callable<List<byte[]>> capture =
          () -> {
            Capture.enterNewNamespace();
            for (String command : SETUP) {
              run(command);
            }
            try (Capture frames = Capture.begin()) {
              traffic();
              return frames.frames(longest);
            }
          };
      return thread.submit(capture).get();
    } finally {
      thread.shutdown();
    }
  }

  private static void run(String command) throws IOException, InterruptedException {
    if (new ProcessBuilder(command.split(" ")).inheritIO().start().waitFor() != 0) {
      throw new IllegalStateException(command + " failed");
    }
  }

  private static void traffic() throws IOException {
    for (String address : new String[] {"127.0.0.1", "::1", "10.77.0.2", "fd77::2"}) {
      send(address);
    }
    // Nobody answers: ARP, and a neighbour solicitation.
    for (String address : new String[] {"10.77.0.9", "fd77::9"}) {
      send(address);
      InetAddress.getByName(address).isReachable(100);
    }
    InetAddress.getLoopbackAddress().isReachable(100);
    connect("127.0.0.1");
    connect("::1");
    for (String address : new String[] {"10.77.0.2", "fd77::2"}) {
      try (SocketChannel channel = SocketChannel.open()) {
        channel.configureBlocking(false);
        channel.connect(new InetSocketAddress(address, 80));
      }
    }
  }

  private static void send(String address) throws IOException {
    try (DatagramSocket socket = new DatagramSocket()) {
      for (int size : SIZES) {
        InetAddress to = InetAddress.getByName(address);
        socket.send(new DatagramPacket(new byte[size], size, to, 5000));
      }
    }
  }

  private static void connect(String address) throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName(address));
        Socket client = new Socket(address, server.getLocalPort());
        Socket accepted = server.accept()) {
      client.getOutputStream().write(new byte[10_000]);
      accepted.getInputStream().readNBytes(10_000);
      accepted.getOutputStream().write(new byte[] {1});
      client.getInputStream().readNBytes(1);
    }
  }
}
