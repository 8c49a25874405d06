// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.http.StandardHttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WriteFenceTest {
  private static final String LEASES = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";
  private static final String STATE = "/apis/tokenbucket.dev/v1alpha1/tokenbucketnodestates/n";

  private static final Interceptor.RequestTags NO_TAGS =
      new Interceptor.RequestTags() {
        @Override
        public <T> T getTag(Class<T> type) {
          throw new UnsupportedOperationException();
        }
      };

  private long monotonic = -5;
  private long wall = 1_000_000;
  private final List<String> refused = new ArrayList<>();
  private final WriteFence fence =
      new WriteFence(
          LEASES,
          Duration.ofSeconds(7),
          () -> TimeUnit.MILLISECONDS.toNanos(monotonic),
          () -> wall,
          refused::add);

  @Test
  void nothingIsWrittenBeforeTheLeaseIsHeld() {
    assertThat(fence.open()).isFalse();
    assertThatThrownBy(() -> send("PATCH", STATE))
        .hasMessage("PATCH " + STATE + " without the lease");
    // Nothing is lost: the write is repeated once the lease is renewed.
    assertThat(refused).isEmpty();
  }

  @Test
  void readsAndQuestionsAboutRightsAreNoWrites() {
    send("GET", STATE);
    send("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews");
    assertThat(refused).isEmpty();
  }

  @Test
  void aRenewalCountsFromWhenItWasSentNotFromWhenItWasConfirmed() {
    HttpRequest renewal = send("PATCH", LEASES + "/tokenbucket-operator");
    pass(6_000);
    answer(renewal, 200);
    send("PATCH", STATE);
    pass(1_000);
    assertThatThrownBy(() -> send("PATCH", STATE)).isInstanceOf(IllegalStateException.class);
    assertThat(refused).containsExactly("PATCH " + STATE);
  }

  @Test
  void aRenewalThatIsSentAgainCountsFromTheTimeThatItSays() {
    String renewal = renewal();
    answer(send("PATCH", LEASES + "/tokenbucket-operator", renewal), 429);
    pass(4_000);
    answer(send("PATCH", LEASES + "/tokenbucket-operator", renewal), 200);
    pass(2_999);
    assertThat(fence.open()).isTrue();
    pass(1);
    assertThat(fence.open()).isFalse();

    answer(send("PATCH", LEASES + "/tokenbucket-operator", renewal()), 200);
    assertThat(fence.open()).isTrue();
  }

  private String renewal() {
    return "{\"spec\":{\"renewTime\":\"%s\"}}".formatted(Instant.ofEpochMilli(wall));
  }

  @Test
  void aRenewalThatIsRefusedOrOnlyReadOpensNothing() {
    answer(send("PATCH", LEASES + "/tokenbucket-operator"), 409);
    answer(send("GET", LEASES + "/tokenbucket-operator"), 200);
    assertThat(fence.open()).isFalse();
  }

  @Test
  void eitherClockAloneShutsIt() {
    answer(send("POST", LEASES), 201);
    wall += 7_000;
    assertThat(fence.open()).isFalse();
    wall -= 7_000;
    assertThat(fence.open()).isTrue();
    monotonic += 7_000;
    assertThat(fence.open()).isFalse();
  }

  @Test
  void onceShutNoRenewalOpensIt() {
    answer(send("POST", LEASES), 201);
    fence.shut();
    answer(send("PATCH", LEASES + "/tokenbucket-operator"), 200);
    assertThat(fence.open()).isFalse();
  }

  private void pass(long millis) {
    monotonic += millis;
    wall += millis;
  }

  private HttpRequest send(String method, String path) {
    return send(method, path, "{}");
  }

  private HttpRequest send(String method, String path, String body) {
    HttpRequest.Builder builder =
        new StandardHttpRequest.Builder().uri("https://127.0.0.1:6443" + path);
    HttpRequest request = builder.method(method, "application/json", body).build();
    fence.before(builder, request, NO_TAGS);
    return request;
  }

  private void answer(HttpRequest request, int code) {
    fence.after(request, new Response(request, code), (value, body) -> {});
  }

  private record Response(HttpRequest request, int code) implements HttpResponse<String> {
    @Override
    public String body() {
      return "";
    }

    @Override
    public Optional<HttpResponse<?>> previousResponse() {
      return Optional.empty();
    }

    @Override
    public List<String> headers(String key) {
      return List.of();
    }

    @Override
    public Map<String, List<String>> headers() {
      return Map.of();
    }
  }
}
