package dev.tokenbucket.operator;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.monitoring.Metrics;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts and stops the reconcilers with the application. */
@ApplicationScoped
public class OperatorRuntime {
  private static final Logger LOG = LoggerFactory.getLogger(OperatorRuntime.class);
  private static final int RECONCILIATION_THREADS = 8;

  private final Operator operator;

  // Its successor registers one meter with two sets of tags, which Prometheus refuses.
  @SuppressWarnings("removal")
  OperatorRuntime(@All List<Reconciler<?>> reconcilers, MeterRegistry registry) {
    // KUBECONFIG, else the pod's service account.
    KubernetesClient client = new KubernetesClientBuilder().build();
    Metrics metrics = MicrometerMetrics.withoutPerResourceMetrics(registry);
    operator =
        new Operator(
            configuration ->
                configuration
                    .withKubernetesClient(client)
                    .withMetrics(metrics)
                    .withConcurrentReconciliationThreads(RECONCILIATION_THREADS));
    reconcilers.forEach(operator::register);
  }

  void start(@Observes StartupEvent event) {
    operator.start();
    LOG.info("operator ready");
  }

  void stop(@Observes ShutdownEvent event) {
    operator.stop();
  }
}
