// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.agent.hooks.ProgramLoads;
import dev.tokenbucket.agent.loop.HealthEndpoint.LoopName;
import dev.tokenbucket.agent.program.RunningHook;
import dev.tokenbucket.api.v1alpha1.BucketPer;
import dev.tokenbucket.api.v1alpha1.Direction;
import dev.tokenbucket.api.v1alpha1.ExceedAction;
import dev.tokenbucket.api.v1alpha1.Mode;
import dev.tokenbucket.api.v1alpha1.RatePeriod;
import dev.tokenbucket.api.v1alpha1.RateUnit;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
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
      assertThat(get(port, "/healthz").body()).contains("has not run for 60 s");
      health.passed(LoopName.PROGRAMMING);
      health.passed(LoopName.SWEEPING);
      assertThat(get(port, "/healthz").body())
          .isEqualTo("the loop reporting has not run for 60 s\n");
      health.passed(LoopName.REPORTING);
      assertThat(get(port, "/healthz").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void metricsAreTheKernelsCountersWithoutAnyAddress() throws Exception {
    RunningHook.RunningPolicy policy =
        new RunningHook.RunningPolicy(
            "p",
            "u",
            3,
            RateUnit.Packets,
            600,
            RatePeriod.Minute,
            20,
            BucketPer.SourceIP,
            ExceedAction.Drop,
            Mode.Enforce,
            41,
            4_100,
            7,
            700,
            1,
            2,
            0,
            new RunningHook.Parent(100, null, 30, 3),
            new RunningHook.Buckets(5, 64, 1, 9, 4_096));
    RunningHook hook =
        new RunningHook(
            "eth0",
            Direction.Ingress,
            "TCX",
            1,
            11,
            12,
            13,
            List.of(new RunningHook.Exempted("dhcp", 12, 13)),
            List.of(policy));
    boolean[] broken = {false};
    AgentMetrics metrics =
        new AgentMetrics(
            () -> {
              if (broken[0]) {
                throw new IllegalStateException("being exchanged");
              }
              return List.of(hook);
            },
            new AgentMetrics.Work(
                Duration.ofMillis(250),
                () -> new ProgramLoads(4, Duration.ofMillis(80)),
                () -> Optional.of(Instant.ofEpochSecond(1_000_000))));
    metrics.applied(List.of(), 2, true);
    metrics.readBack(Instant.ofEpochSecond(1_000_025));
    int port = freePort();
    try (HealthEndpoint health = new HealthEndpoint(port, clock::get)) {
      health.serve(metrics);
      String at = "direction=\"Ingress\",hook=\"TCX\",interface=\"eth0\"";
      assertThat(get(port, "/metrics").body().lines())
          .contains(
              "tokenbucket_policy_packets_total{" + at + ",policy=\"p\",verdict=\"conform\"} 41.0",
              "tokenbucket_policy_packets_total{" + at + ",policy=\"p\",verdict=\"exceed\"} 7.0",
              "tokenbucket_policy_bytes_total{" + at + ",policy=\"p\",verdict=\"exceed\"} 700.0",
              "tokenbucket_policy_generation{" + at + ",policy=\"p\"} 3.0",
              "tokenbucket_policy_info{action=\"Drop\","
                  + at
                  + ",mode=\"Enforce\",per=\"SourceIP\",policy=\"p\",unit=\"Packets\"} 1",
              "tokenbucket_policy_rate{" + at + ",policy=\"p\",unit=\"Packets\"} 10.0",
              "tokenbucket_policy_burst{" + at + ",policy=\"p\",unit=\"Packets\"} 20.0",
              "tokenbucket_not_ip_packets_total{" + at + "} 11.0",
              "tokenbucket_failsafe_packets_total{"
                  + at
                  + ",kind=\"dhcp\",verdict=\"exempt\"} 12.0",
              "tokenbucket_buckets_used{policy=\"p\"} 5.0",
              "tokenbucket_buckets_capacity{policy=\"p\"} 64.0",
              "tokenbucket_buckets_evicted_total{policy=\"p\"} 9.0",
              "tokenbucket_policies_failed 2.0",
              "tokenbucket_program_load_seconds_count 4",
              "tokenbucket_program_load_seconds_sum 0.08",
              "tokenbucket_classifier_preparation_seconds 0.25",
              "tokenbucket_last_contact_timestamp_seconds 1000000.0",
              "tokenbucket_last_read_back_timestamp_seconds 1000025.0",
              "tokenbucket_repairs_total 1.0");
      broken[0] = true;
      assertThat(get(port, "/metrics").statusCode()).isEqualTo(503);
      assertThat(get(port, "/metrics").body()).isEqualTo("being exchanged\n");
    }
  }

  @Test
  void aPortThatIsTakenIsSaidAndNoPortIsNone() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        HealthEndpoint none = new HealthEndpoint(0, clock::get)) {
      none.passed(LoopName.SWEEPING);
      assertThatThrownBy(() -> new HealthEndpoint(taken.getLocalPort(), clock::get))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("--health-port " + taken.getLocalPort())
          .hasMessageContaining("choose another port");
    }
  }
}
