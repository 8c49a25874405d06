// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tokenbucket.agent.log.Reason;
import java.io.Closeable;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * {@code /metrics} on every address of the host, for a Prometheus elsewhere: a pod in the host's
 * network has no address of its own. The endpoint accepts no input and shows policies and
 * interfaces.
 */
public final class MetricsEndpoint implements Closeable {
  private static final String PATH = "/metrics";
  private static final String FORMAT = "text/plain; version=0.0.4; charset=utf-8";
  private static final int BACKLOG = 8;

  private final @Nullable HttpServer server;

  /**
   * Starts serving.
   *
   * @param port 0 for no endpoint
   * @throws IOException if the port is taken
   */
  public MetricsEndpoint(int port, AgentMetrics metrics) throws IOException {
    server = port == 0 ? null : listen(port);
    if (server != null) {
      serve(server, metrics);
      server.start();
    }
  }

  private static HttpServer listen(int port) throws IOException {
    try {
      return HttpServer.create(new InetSocketAddress(port), BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "--metrics-port " + port + ": " + e.getMessage() + "; choose another port", e);
    }
  }

  static void serve(HttpServer server, AgentMetrics metrics) {
    server.createContext(PATH, exchange -> scrape(exchange, metrics));
  }

  /**
   * Answers a failed scrape with 503 and the reason: the program loop may be replacing what is
   * read.
   */
  private static void scrape(HttpExchange exchange, AgentMetrics metrics) throws IOException {
    try (exchange) {
      byte[] body;
      int code = HttpURLConnection.HTTP_OK;
      try {
        body = metrics.scrape();
      } catch (RuntimeException e) {
        body = (Reason.of(e) + "\n").getBytes(StandardCharsets.UTF_8);
        code = HttpURLConnection.HTTP_UNAVAILABLE;
      }
      exchange.getResponseHeaders().set("Content-Type", FORMAT);
      exchange.sendResponseHeaders(code, body.length);
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
