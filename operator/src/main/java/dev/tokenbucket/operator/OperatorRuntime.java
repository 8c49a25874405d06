// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.BuildVersion;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.lease.LeaderElection;
import dev.tokenbucket.operator.retry.JitteredBackoff;
import dev.tokenbucket.operator.retry.RetryAfter;
import dev.tokenbucket.operator.schema.ServedSchema;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.javaoperatorsdk.operator.processing.Controller;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts and stops the reconcilers with the application. A standby's caches are as warm as the
 * leader's, because only the handling of events waits for the lease.
 */
@ApplicationScoped
public class OperatorRuntime {
  private static final Logger LOG = LoggerFactory.getLogger(OperatorRuntime.class);
  private static final int RECONCILIATION_THREADS = 8;
  private static final Duration CACHE_SYNC = Duration.ofMinutes(2);
  private static final Duration LAST_RECONCILIATIONS = Duration.ofSeconds(5);

  private static final int SCHEMA_TRIES = 10;
  private static final Duration SCHEMA_PAUSE = Duration.ofSeconds(1);
  static final int SCHEMA_TOO_OLD = 4;

  /**
   * Enough retries for a short outage. {@link #BACKOFF} handles longer ones, and occupies no
   * thread.
   */
  private static final int RETRIES_OF_A_REQUEST = 3;

  private static final JitteredBackoff BACKOFF =
      new JitteredBackoff(
          Duration.ofMillis(500),
          Duration.ofSeconds(30),
          () -> ThreadLocalRandom.current().nextDouble());

  private final LeaderElection election;
  private final KubernetesClient client;
  private final Operator operator;
  private final OrphanSweep orphans;

  // The successor of the deprecated method registers one meter with two sets of tags, which
  // Prometheus refuses.
  @SuppressWarnings("removal")
  OperatorRuntime(
      @All List<Reconciler<?>> reconcilers,
      FleetFeed feed,
      MeterRegistry registry,
      LeaderElection election) {
    this.election = election;
    client = client(election);
    Metrics metrics = MicrometerMetrics.withoutPerResourceMetrics(registry);
    operator =
        new Operator(
            configuration ->
                configuration
                    .withKubernetesClient(client)
                    .withCloseClientOnStop(false)
                    .withMetrics(metrics)
                    .withLeaderElectionConfiguration(election.configuration())
                    .withCacheSyncTimeout(CACHE_SYNC)
                    .withReconciliationTerminationTimeout(LAST_RECONCILIATIONS)
                    .withConcurrentReconciliationThreads(RECONCILIATION_THREADS));
    reconcilers.forEach(this::register);
    orphans = new OrphanSweep(feed, client, election::leading);
  }

  /** A client configured by KUBECONFIG, else by the pod's service account. */
  private static KubernetesClient client(LeaderElection election) {
    Config config =
        new ConfigBuilder(OperatorClient.config(System.getenv()))
            .withRequestRetryBackoffLimit(RETRIES_OF_A_REQUEST)
            .build();
    RetryAfter retryAfter = new RetryAfter(() -> ThreadLocalRandom.current().nextDouble());
    return OperatorClient.builder(config)
        .withHttpClientBuilderConsumer(
            http ->
                http.addOrReplaceInterceptor("write-fence", election.fence())
                    .addOrReplaceInterceptor("retry-after", retryAfter))
        .build();
  }

  private <P extends HasMetadata> void register(Reconciler<P> reconciler) {
    operator.register(reconciler, controller -> controller.withRetry(BACKOFF));
  }

  void start(@Observes StartupEvent event) {
    requireSchema();
    operator.start();
    orphans.start();
    LOG.info("operator ready, version {}", BuildVersion.current());
  }

  /** Waits for the CRDs: after an upgrade, the API server takes a moment to serve new ones. */
  private void requireSchema() {
    List<String> missing = missingFields();
    for (int i = 0; i < SCHEMA_TRIES && !missing.isEmpty(); i++) {
      try {
        Thread.sleep(SCHEMA_PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      missing = missingFields();
    }
    if (!missing.isEmpty()) {
      LOG.error(
          "the CRDs of this cluster are older than this operator ({}), so the operator"
              + " ends and writes nothing; apply the CRDs of the operator's version. Missing"
              + " fields: {}",
          BuildVersion.current(),
          String.join(", ", missing));
      Runtime.getRuntime().halt(SCHEMA_TOO_OLD);
    }
  }

  private List<String> missingFields() {
    try {
      return ServedSchema.missing(client);
    } catch (KubernetesClientException e) {
      LOG.warn(
          "could not check whether the cluster's CRDs are as new as this operator: {}",
          e.getMessage());
      return List.of();
    }
  }

  void stop(@Observes ShutdownEvent event) {
    election.stopping();
    orphans.close();
    operator.stop();
    election.release(client);
    client.close();
  }

  /** The policies as last seen. */
  public Stream<TokenBucketPolicy> policies() {
    return operator.getRegisteredControllers().stream()
        .map(each -> (Controller<?>) each)
        .filter(each -> each.getConfiguration().getResourceClass() == TokenBucketPolicy.class)
        .flatMap(each -> each.getEventSourceManager().getControllerEventSource().list())
        .map(TokenBucketPolicy.class::cast);
  }

  /** Whether the caches are filled. */
  public boolean ready() {
    return operator.getRuntimeInfo().isStarted();
  }

  /**
   * Whether every informer is running. An informer that waits for the API server to come back
   * counts.
   */
  public boolean live() {
    return !ready() || operator.getRuntimeInfo().allEventSourcesAreHealthy();
  }
}
