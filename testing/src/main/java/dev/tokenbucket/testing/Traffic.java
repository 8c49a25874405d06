// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.tokenbucket.testing.kernel.ControlledSocket;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * UDP traffic, as a program that runs in a namespace: {@code send TO FROM RATE SECONDS} and {@code
 * receive AT SECONDS}, each bounded in time. Prints its counts as JSON.
 */
public final class Traffic {
  private static final int PORT = 5000;
  private static final int PAYLOAD = 64;
  private static final int IPV4_HEADERS = 14 + 20 + 8;
  private static final int IPV6_HEADERS = 14 + 40 + 8;
  private static final int RECEIVE_BUFFER = 1 << 24;
  private static final long SECOND = 1_000_000_000L;
  private static final Duration SILENCE = Duration.ofMillis(700);
  private static final Duration FIRST_PACKET = Duration.ofSeconds(15);

  private Traffic() {}

  /** The packets that a sender offered. */
  public record Sent(long packets, double seconds) {
    double perSecond() {
      return packets / seconds;
    }
  }

  /**
   * The arrivals from one source.
   *
   * @param total all packets that arrived
   * @param inWindow the packets within the measured window
   */
  public record FromSource(long total, long inWindow) {}

  /**
   * The arrivals at a receiver.
   *
   * @param seconds the measured window, which begins a second after the first packet, when the
   *     burst is spent
   * @param frameBytes the bytes of one frame, without FCS
   * @param sources the arrivals by source address
   * @param arrivals when the kernel received each packet, as System.nanoTime, if requested
   */
  public record Received(
      double seconds, int frameBytes, Map<String, FromSource> sources, List<Long> arrivals) {
    public double perSecond() {
      return sources.values().stream().mapToLong(FromSource::inWindow).sum() / seconds;
    }

    /** The arrivals from one source; zero if there were none. */
    FromSource from(String source) {
      return sources.getOrDefault(source, new FromSource(0, 0));
    }

    public long total() {
      return sources.values().stream().mapToLong(FromSource::total).sum();
    }
  }

  /** The program. */
  public static void main(String[] arguments) throws IOException {
    Object counted =
        switch (arguments[0]) {
          case "send" ->
              send(
                  InetAddress.getByName(arguments[1]),
                  InetAddress.getByName(arguments[2]),
                  Integer.parseInt(arguments[3]),
                  Double.parseDouble(arguments[4]));
          case "receive" ->
              receive(
                  InetAddress.getByName(arguments[1]),
                  Double.parseDouble(arguments[2]),
                  arguments.length > 3);
          default -> throw new IllegalArgumentException("send or receive, not " + arguments[0]);
        };
    System.out.println(
        new ObjectMapper()
            .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .writeValueAsString(counted));
  }

  private static Sent send(InetAddress to, InetAddress from, int rate, double seconds)
      throws IOException {
    try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(from, 0))) {
      DatagramPacket packet =
          new DatagramPacket(new byte[PAYLOAD], PAYLOAD, new InetSocketAddress(to, PORT));
      long start = System.nanoTime();
      long end = start + (long) (seconds * SECOND);
      long sent = 0;
      for (long now = start; now < end; now = System.nanoTime()) {
        // After a stall, at most 20 packets are sent per step: a slow source must not exceed the
        // policy's rate.
        long due = Math.min((long) ((now - start) / (double) SECOND * rate) + 1, sent + 20);
        for (; sent < due; sent++) {
          try {
            socket.send(packet);
          } catch (IOException ignored) {
            // A drop on egress is reported to the sender, and counts as offered.
          }
        }
        LockSupport.parkNanos(500_000);
      }
      return new Sent(sent, seconds);
    }
  }

  private static Received receive(InetAddress at, double seconds, boolean withArrivals) {
    Map<String, long[]> counts = new HashMap<>();
    List<Long> arrivals = new ArrayList<>();
    long clock = System.nanoTime() - realTime(Instant.now());
    try (ControlledSocket socket =
        new ControlledSocket(
            new InetSocketAddress(at, PORT), ControlledSocket.Tells.ARRIVAL, RECEIVE_BUFFER)) {
      System.out.println("listening");
      socket.waitAtMost(FIRST_PACKET);
      Optional<ControlledSocket.Datagram> next = socket.receive();
      long begin = next.map(first -> clock + arrival(first) + SECOND).orElse(0L);
      long end = begin + (long) (seconds * SECOND);
      socket.waitAtMost(SILENCE);
      while (next.isPresent() && System.nanoTime() < end + 15 * SECOND) {
        long arrived = clock + arrival(next.get());
        long[] count = counts.computeIfAbsent(next.get().from().getHostAddress(), a -> new long[2]);
        count[0]++;
        count[1] += arrived >= begin && arrived < end ? 1 : 0;
        if (withArrivals) {
          arrivals.add(arrived);
        }
        next = socket.receive();
      }
    }
    Map<String, FromSource> sources = new HashMap<>();
    counts.forEach((source, count) -> sources.put(source, new FromSource(count[0], count[1])));
    int headers = at instanceof Inet6Address ? IPV6_HEADERS : IPV4_HEADERS;
    return new Received(seconds, headers + PAYLOAD, sources, arrivals);
  }

  /** When the kernel received the datagram, in CLOCK_REALTIME, because this program may be late. */
  private static long arrival(ControlledSocket.Datagram datagram) {
    long time = datagram.control().getLong(0) * SECOND;
    return time + datagram.control().getLong(Long.BYTES);
  }

  private static long realTime(Instant time) {
    return time.getEpochSecond() * SECOND + time.getNano();
  }
}
