// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;

/** UDP packets over the loopback interface to a socket of this process, counted at both ends. */
final class LoopbackTraffic implements AutoCloseable {
  private static final long STEP_NANOS = Duration.ofMillis(1).toNanos();
  private static final Duration SILENCE = Duration.ofMillis(200);
  private static final int RECEIVE_BYTES = 1 << 20;

  /**
   * The packets of the measured time.
   *
   * @param offered packets sent in that time
   * @param arrived packets received in that time
   * @param seconds the length of that time
   */
  record Count(long offered, long arrived, double seconds) {
    double offeredRate() {
      return offered / seconds;
    }

    double arrivedRate() {
      return arrived / seconds;
    }
  }

  private final DatagramSocket receiver;
  private final DatagramSocket sender;

  LoopbackTraffic() throws IOException {
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    receiver = new DatagramSocket(0, loopback);
    receiver.setReceiveBufferSize(RECEIVE_BYTES);
    receiver.setSoTimeout((int) SILENCE.toMillis());
    sender = new DatagramSocket(0, loopback);
    sender.connect(loopback, receiver.getLocalPort());
  }

  /** The destination port of the packets. */
  int port() {
    return receiver.getLocalPort();
  }

  /**
   * Sends evenly, and starts counting after a lead, which spends the burst.
   *
   * @param rate packets per second to send
   */
  Count run(long rate, Duration lead, Duration measured) throws IOException {
    long begin = System.nanoTime();
    long from = begin + lead.toNanos();
    long end = from + measured.toNanos();
    CompletableFuture<Long> arrived =
        CompletableFuture.supplyAsync(() -> receive(from, end), task -> start(task));
    long sent = 0;
    long offered = 0;
    for (long now = begin; now < end; now = System.nanoTime()) {
      // The number is computed from the clock, so that a late step sends what it owes.
      long due = (long) ((double) rate * (now - begin) / 1e9) - sent;
      for (long i = 0; i < due; i++) {
        send();
      }
      sent += due;
      offered += now < from ? 0 : due;
      LockSupport.parkNanos(STEP_NANOS);
    }
    try {
      return new Count(offered, arrived.join(), measured.toNanos() / 1e9);
    } catch (CompletionException e) {
      throw new IOException("receiving on 127.0.0.1: " + e.getCause(), e);
    }
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "receiver");
    thread.setDaemon(true);
    thread.start();
  }

  private void send() throws IOException {
    byte[] payload = new byte[64];
    try {
      sender.send(new DatagramPacket(payload, payload.length));
    } catch (java.net.PortUnreachableException e) {
      throw new IOException("nothing listens on 127.0.0.1 port " + port(), e);
    }
  }

  private long receive(long from, long end) {
    DatagramPacket packet = new DatagramPacket(new byte[128], 128);
    long count = 0;
    while (System.nanoTime() < end) {
      try {
        receiver.receive(packet);
      } catch (SocketTimeoutException e) {
        continue; // no packet meanwhile; the end may have come
      } catch (IOException e) {
        throw new CompletionException(e);
      }
      long now = System.nanoTime();
      count += now >= from && now < end ? 1 : 0;
    }
    return count;
  }

  @Override
  public void close() {
    sender.close();
    receiver.close();
  }
}
