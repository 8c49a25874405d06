// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSet;
import dev.tokenbucket.api.v1alpha1.TokenBucketAddressSetStatus;
import dev.tokenbucket.operator.fleet.AddressSetReport;
import dev.tokenbucket.operator.fleet.Fleet;
import dev.tokenbucket.operator.status.AddressSetStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimited;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.quarkus.arc.Unremovable;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Passes address sets to the fleet, and writes their status. */
@ApplicationScoped
@Unremovable
@ControllerConfiguration(name = "addressset", fieldManager = Fleet.FIELD_MANAGER)
@RateLimited(maxReconciliations = 1, within = 1, unit = TimeUnit.SECONDS)
public class AddressSetReconciler implements Reconciler<TokenBucketAddressSet> {
  private final FleetFeed feed;

  AddressSetReconciler(FleetFeed feed) {
    this.feed = feed;
  }

  @Override
  public List<EventSource<?, TokenBucketAddressSet>> prepareEventSources(
      EventSourceContext<TokenBucketAddressSet> context) {
    return List.of(FleetSource.ofAddressSets(feed, context));
  }

  @Override
  public UpdateControl<TokenBucketAddressSet> reconcile(
      TokenBucketAddressSet set, Context<TokenBucketAddressSet> context) {
    feed.fleet()
        .addressSet(set.getMetadata().getName())
        .ifPresent(report -> report(set, report, context.getClient()));
    return UpdateControl.noUpdate();
  }

  private static void report(
      TokenBucketAddressSet set, AddressSetReport report, KubernetesClient client) {
    TokenBucketAddressSetStatus now = AddressSetStatus.of(report, set.getStatus(), Instant.now());
    if (!now.equals(set.getStatus())) {
      StatusWrites.apply(client, set, new TokenBucketAddressSet(), now);
    }
  }
}
