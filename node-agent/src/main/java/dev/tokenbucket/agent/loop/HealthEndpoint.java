// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Answers a kubelet's probes on loopback: {@code /healthz} succeeds while the agent's loops make
 * progress, {@code /readyz} once the node's desired state has been applied or nothing is desired.
 * Also serves {@code /metrics}.
 */
public final class HealthEndpoint implements AutoCloseable {
  /** A loop without a pass for this long hangs, and only a restart helps. */
  static final Duration LONGEST_PASS = Duration.ofSeconds(60);

  private static final int BACKLOG = 8;

  /** The agent's concurrent loops, each of which must keep making passes. */
  public enum LoopName {
    PROGRAMMING,
    SWEEPING,
    REPORTING;

    /** The loop's name in messages, and its thread's name. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final LongSupplier nanoClock;
  private final @Nullable HttpServer server;
  private final Map<LoopName, Long> passedAt = new ConcurrentHashMap<>();
  private volatile String missing = "nothing was applied yet";

  /**
   * Starts serving.
   *
   * @param port the port on 127.0.0.1; 0 for no endpoint
   * @param nanoClock as {@link System#nanoTime()}
   * @throws IOException if the port is taken
   */
  public HealthEndpoint(int port, LongSupplier nanoClock) throws IOException {
    this.nanoClock = nanoClock;
    Stream.of(LoopName.values()).forEach(this::passed);
    server = port == 0 ? null : listen(port);
    if (server != null) {
      server.createContext("/healthz", exchange -> answer(exchange, this::hang));
      server.createContext("/readyz", exchange -> answer(exchange, () -> missing));
      server.start();
    }
  }

  private static HttpServer listen(int port) throws IOException {
    try {
      InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
      return HttpServer.create(new InetSocketAddress(loopback, port), BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "--health-port " + port + " on 127.0.0.1: " + e.getMessage() + "; choose another port",
          e);
    }
  }

  /** Also serves metrics. */
  public void serve(AgentMetrics metrics) {
    if (server != null) {
      MetricsEndpoint.serve(server, metrics);
    }
  }

  /** Records that a loop has completed a pass. */
  void passed(LoopName loop) {
    passedAt.put(loop, nanoClock.getAsLong());
  }

  /** Makes the agent ready from now on. */
  void ready() {
    missing = "";
  }

  /** Makes the agent not ready, with the reason. */
  void notReady(String why) {
    missing = why;
  }

  private String hang() {
    long now = nanoClock.getAsLong();
    return passedAt.entrySet().stream()
        .filter(each -> now - each.getValue() > LONGEST_PASS.toNanos())
        .map(
            each ->
                "the loop %s has not run for %d s"
                    .formatted(
                        each.getKey().text(), Duration.ofNanos(now - each.getValue()).toSeconds()))
        .sorted()
        .collect(Collectors.joining("; "));
  }

  private static void answer(HttpExchange exchange, Supplier<String> wrong) throws IOException {
    try (exchange) {
      String why = wrong.get();
      byte[] body = ((why.isEmpty() ? "ok" : why) + "\n").getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
      exchange.sendResponseHeaders(
          why.isEmpty() ? HttpURLConnection.HTTP_OK : HttpURLConnection.HTTP_UNAVAILABLE,
          body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    if (server != null) {
      server.stop(0);
    }
  }
}
