package dev.tokenbucket.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class HealthEndpointTest {
  private final AtomicLong clock = new AtomicLong();

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static HttpResponse<String> get(int port, String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void itIsReadyOnceSomethingWasAppliedAndLiveWhileTheLoopGoes() throws Exception {
    int port = freePort();
    try (HealthEndpoint health = new HealthEndpoint(port, clock::get)) {
      assertThat(get(port, "/healthz").statusCode()).isEqualTo(200);
      assertThat(get(port, "/readyz").statusCode()).isEqualTo(503);
      assertThat(get(port, "/readyz").body()).contains("nothing was applied yet");
      health.ready();
      assertThat(get(port, "/readyz").statusCode()).isEqualTo(200);
      health.notReady("hostNetwork");
      assertThat(get(port, "/readyz").body()).isEqualTo("hostNetwork\n");

      clock.addAndGet(HealthEndpoint.LONGEST_PASS.toNanos());
      assertThat(get(port, "/healthz").statusCode()).isEqualTo(200);
      clock.addAndGet(1);
      assertThat(get(port, "/healthz").statusCode()).isEqualTo(503);
      assertThat(get(port, "/healthz").body()).contains("no pass for 60 s");
      health.passed();
      assertThat(get(port, "/healthz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void aPortThatIsTakenIsSaidAndNoPortIsNone() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        HealthEndpoint none = new HealthEndpoint(0, clock::get)) {
      none.passed();
      assertThatThrownBy(() -> new HealthEndpoint(taken.getLocalPort(), clock::get))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("--health-port " + taken.getLocalPort())
          .hasMessageContaining("choose another port");
    }
  }
}
