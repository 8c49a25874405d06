// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * A proxy between a client and the real API server, with the server's own certificate. A test
 * decides what happens to each request. A request has a separate connection on either side.
 */
final class FaultProxy implements AutoCloseable {
  private static final int MAX_HEAD = 64 * 1024;

  /** The parts of a request by which tests choose a fault. */
  record Request(String method, String target) {
    boolean isWatch() {
      return target.contains("watch=true");
    }

    boolean isWrite() {
      return !method.equals("GET");
    }

    boolean isLease() {
      return target.contains("/leases");
    }
  }

  /** What happens to a request. */
  sealed interface Fate {}

  /** It goes to the API server. */
  record Forward() implements Fate {}

  /** It goes to the API server with another target. */
  record Rewrite(String target) implements Fate {}

  /** The proxy answers instead of the server. */
  record Refuse(int code, String reason, String headers) implements Fate {}

  /** The connection breaks, and the server never sees it. */
  record Lose() implements Fate {}

  /** No answer comes while the client waits. */
  record Swallow() implements Fate {}

  /** The server carries the request out, and the connection breaks before the answer. */
  record LoseAnswer() implements Fate {}

  private final URI server;
  private final SSLSocketFactory upstream;
  private final SSLServerSocket listener;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "fault-proxy");
            thread.setDaemon(true);
            return thread;
          });
  private final Set<Socket> watches = ConcurrentHashMap.newKeySet();
  private volatile Function<Request, Fate> fates = request -> new Forward();

  FaultProxy(ControlPlane controlPlane) {
    server = controlPlane.server();
    SSLContext context = controlPlane.serving();
    upstream = controlPlane.trust().getSocketFactory();
    try {
      listener =
          (SSLServerSocket)
              context
                  .getServerSocketFactory()
                  .createServerSocket(0, 64, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new StepFailedException("listening: " + e.getMessage(), e);
    }
    threads.execute(this::accept);
  }

  /** The proxy's address. */
  URI address() {
    return URI.create("https://127.0.0.1:" + listener.getLocalPort());
  }

  /** Decides from now on what happens to requests; runs on several threads at once. */
  void decide(Function<Request, Fate> decision) {
    fates = decision;
  }

  /** Breaks every watch that is open. */
  void dropWatches() {
    watches.forEach(FaultProxy::close);
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        threads.execute(() -> serve(client));
      } catch (IOException e) {
        // closed, or a handshake that failed
      }
    }
  }

  private void serve(Socket client) {
    try (client) {
      InputStream in = client.getInputStream();
      String head = head(in);
      if (head.isEmpty()) {
        return;
      }
      int method = head.indexOf(' ');
      int target = head.indexOf(' ', method + 1);
      Request request = new Request(head.substring(0, method), head.substring(method + 1, target));
      byte[] body = in.readNBytes(contentLength(head));
      Fate fate = fates.apply(request);
      if (fate instanceof Refuse refusal) {
        refuse(refusal, client.getOutputStream());
      } else if (fate instanceof Rewrite rewrite) {
        forward(request, head.replace(request.target(), rewrite.target()), body, client, false);
      } else if (fate instanceof Swallow) {
        in.transferTo(OutputStream.nullOutputStream());
      } else if (!(fate instanceof Lose)) {
        forward(request, head, body, client, fate instanceof LoseAnswer);
      }
    } catch (IOException e) {
      // one of both sides has gone: so has the other with it
    }
  }

  private void forward(Request request, String head, byte[] body, Socket client, boolean answerLost)
      throws IOException {
    try (Socket there = upstream.createSocket(server.getHost(), server.getPort())) {
      OutputStream out = there.getOutputStream();
      boolean upgrade = head.toLowerCase(Locale.ROOT).contains("\r\nupgrade: websocket");
      out.write((upgrade ? head : closing(head)).getBytes(StandardCharsets.ISO_8859_1));
      out.write(body);
      out.flush();
      if (answerLost) {
        there.getInputStream().read();
        return;
      }
      if (request.isWatch()) {
        watches.add(client);
      }
      threads.execute(() -> copy(client, there));
      there.getInputStream().transferTo(client.getOutputStream());
    } finally {
      watches.remove(client);
    }
  }

  /** One request per connection, so no answer has to be parsed to find its end. */
  private static String closing(String head) {
    return head.replaceAll("(?i)\r\nconnection: [^\r]*", "")
        .replaceFirst("\r\n", "\r\nConnection: close\r\n");
  }

  private static void copy(Socket from, Socket to) {
    try {
      from.getInputStream().transferTo(to.getOutputStream());
    } catch (IOException e) {
      close(to);
    }
  }

  private static void refuse(Refuse refusal, OutputStream out) throws IOException {
    String body =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":\"injected\","
            + "\"reason\":\"%s\",\"code\":%d}".formatted(refusal.reason(), refusal.code());
    String answer =
        "HTTP/1.1 %d %s\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
            .formatted(refusal.code(), refusal.reason(), refusal.headers(), body.length(), body);
    out.write(answer.getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
  }

  private static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < 4) {
      int next = in.read();
      if (next < 0 || head.size() > MAX_HEAD) {
        return "";
      }
      head.write(next);
      boolean expected = next == (matched % 2 == 0 ? '\r' : '\n');
      matched = expected ? matched + 1 : next == '\r' ? 1 : 0;
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  private static int contentLength(String head) {
    return head.lines()
        .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
        .mapToInt(line -> Integer.parseInt(line.substring(line.indexOf(':') + 1).strip()))
        .findFirst()
        .orElse(0);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // gone already
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      // it listens no more
    }
    threads.shutdownNow();
  }
}
