// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import dev.tokenbucket.testing.kernel.ControlledSocket;
import dev.tokenbucket.testing.kernel.ControlledSocket.Datagram;
import dev.tokenbucket.testing.kernel.ControlledSocket.Tells;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Tells of each datagram the IPv4 TOS or IPv6 traffic class that it came with. */
final class TrafficClassReceiver implements AutoCloseable {
  private static final Duration SILENCE = Duration.ofMillis(300);
  private static final int BUFFER = 1 << 20;

  private final ControlledSocket socket;

  /** In the namespace it is made in. */
  TrafficClassReceiver(InetAddress at, int port) {
    Tells tells = at instanceof Inet6Address ? Tells.IPV6_CLASS : Tells.IPV4_CLASS;
    socket = new ControlledSocket(new InetSocketAddress(at, port), tells, BUFFER);
    socket.waitAtMost(SILENCE);
  }

  /** The classes of the datagrams that come until none does for a while. */
  List<Integer> classes() {
    List<Integer> classes = new ArrayList<>();
    Optional<Datagram> next = socket.receive();
    while (next.isPresent()) {
      // an IPv4 TOS is one byte, an IPv6 class an int: no byte of it is another but the lowest
      classes.add(Byte.toUnsignedInt(next.get().control().get(0)));
      next = socket.receive();
    }
    return classes;
  }

  @Override
  public void close() {
    socket.close();
  }
}
