// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.lease;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lease that says which replica writes. A replica that loses the lease ends at once, with exit
 * code {@value #LEASE_LOST}: an ended process writes nothing, and its kubelet restarts it as a
 * standby.
 *
 * <p>The worst case from kill -9 to the next leader is {@link #DURATION} until the lease expires,
 * 2.2 times {@link #RETRY_PERIOD} until a standby looks again, and the standby's two requests.
 */
@ApplicationScoped
public class LeaderElection {
  /** The lease's name, in the operator's namespace. */
  static final String NAME = "tokenbucket-operator";

  /** How long a lease is valid without renewal. */
  static final Duration DURATION = Duration.ofSeconds(10);

  /**
   * How long after its last renewal a leader gives up. The clocks of replicas may differ by the
   * rest of {@link #DURATION}.
   */
  static final Duration RENEW_DEADLINE = Duration.ofSeconds(7);

  /** How often the leader renews, and how often, with some jitter, standbys look. */
  static final Duration RETRY_PERIOD = Duration.ofSeconds(1);

  static final int LEASE_LOST = 3;

  private static final Logger LOG = LoggerFactory.getLogger(LeaderElection.class);

  private final String namespace;
  private final String identity;
  private final WriteFence fence;
  private volatile boolean stopping;

  /**
   * @param namespace the lease's namespace
   * @param identity distinguishes this replica from others; by default an identity that no other
   *     process has. A pod's name lets a restarted container continue at once with the lease that
   *     it held
   */
  LeaderElection(
      @ConfigProperty(name = "tokenbucket.namespace") String namespace,
      @ConfigProperty(name = "tokenbucket.identity") Optional<String> identity) {
    this.namespace = namespace;
    this.identity = identity.orElseGet(() -> "operator-" + UUID.randomUUID());
    fence =
        new WriteFence(
            "/apis/coordination.k8s.io/v1/namespaces/" + namespace + "/leases",
            RENEW_DEADLINE,
            System::nanoTime,
            System::currentTimeMillis,
            this::refused);
  }

  /** The interceptor for the client that writes. */
  public Interceptor fence() {
    return fence;
  }

  /** Whether this replica may write now. */
  public boolean leading() {
    return fence.open();
  }

  /** The lease's configuration for the operator framework. */
  // The builder would leave the end of the process to the framework. The framework's exit runs
  // shutdown hooks first, and waits for itself if it is called from one.
  @SuppressWarnings("deprecation")
  public LeaderElectionConfiguration configuration() {
    return new LeaderElectionConfiguration(
        NAME,
        namespace,
        DURATION,
        RENEW_DEADLINE,
        RETRY_PERIOD,
        identity,
        new LeaderCallbacks(
            () -> LOG.info("leading as {}", identity),
            this::lost,
            leader -> LOG.info("the lease {}/{} is held by {}", namespace, NAME, leader)),
        false);
  }

  private void lost() {
    if (!stopping) {
      end("the lease was not renewed in time, or another replica has it");
    }
  }

  private void refused(String write) {
    if (!stopping) {
      end(write + " was attempted without holding the lease");
    }
  }

  private static void end(String why) {
    LOG.error("{}; this replica ends now, so that it writes nothing more", why);
    Runtime.getRuntime().halt(LEASE_LOST);
  }

  /**
   * Announces a shutdown: from now on the loss of the lease is intended, and nothing is written.
   */
  public void stopping() {
    stopping = true;
  }

  /** Hands the lease over, so that no standby has to wait until the lease expires. */
  public void release(KubernetesClient client) {
    fence.shut();
    try {
      Resource<Lease> resource = client.leases().inNamespace(namespace).withName(NAME);
      Lease lease = resource.get();
      if (lease != null && identity.equals(lease.getSpec().getHolderIdentity())) {
        lease.getSpec().setHolderIdentity("");
        client.resource(lease).patch();
      }
    } catch (KubernetesClientException e) {
      LOG.warn(
          "could not release the lease {}/{}, which expires within {} s: {}",
          namespace,
          NAME,
          DURATION.toSeconds(),
          e.getMessage());
    }
  }
}
