// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.status.PolicyEvent;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import jakarta.enterprise.context.ApplicationScoped;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes Events on policies. A repeated Event for the same generation raises the count of the
 * existing one. An Event that can't be written is logged, and the reconciliation does not fail.
 */
@ApplicationScoped
public class EventRecorder {
  /** The namespace for Events on cluster-scoped objects. */
  static final String NAMESPACE = "default";

  private static final Logger LOG = LoggerFactory.getLogger(EventRecorder.class);
  private static final int MAX_MESSAGE = 1024;
  private static final int MAX_NAME = 150;
  private static final int REMEMBERED = 1000;

  private final Map<String, Integer> counts =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
          return size() > REMEMBERED;
        }
      };

  void record(KubernetesClient client, TokenBucketPolicy policy, PolicyEvent event) {
    Event made = event(policy, event, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    try {
      create(client, made);
    } catch (KubernetesClientException e) {
      LOG.warn(
          "policy {}: event {} could not be written ({}); it said: {}",
          policy.getMetadata().getName(),
          event.reason(),
          e.getMessage(),
          event.message());
    }
  }

  private void create(KubernetesClient client, Event event) {
    String name = event.getMetadata().getName();
    try {
      client.v1().events().inNamespace(NAMESPACE).resource(event).create();
      count(name, 1);
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
      Event again =
          new EventBuilder()
              .withMessage(event.getMessage())
              .withLastTimestamp(event.getLastTimestamp())
              .withCount(count(name, 2))
              .build();
      client
          .v1()
          .events()
          .inNamespace(NAMESPACE)
          .withName(name)
          .patch(PatchContext.of(PatchType.JSON_MERGE), Serialization.asJson(again));
    }
  }

  private synchronized int count(String name, int first) {
    return counts.merge(name, first, (known, any) -> known + 1);
  }

  private static Event event(TokenBucketPolicy policy, PolicyEvent event, String now) {
    String name = policy.getMetadata().getName();
    String message =
        event.message().length() <= MAX_MESSAGE
            ? event.message()
            : event.message().substring(0, MAX_MESSAGE - 1) + "…";
    return new EventBuilder()
        .withNewMetadata()
        .withNamespace(NAMESPACE)
        .withName(
            "%s.%s.%d.%s"
                .formatted(
                    name.substring(0, Math.min(MAX_NAME, name.length())),
                    policy.getMetadata().getUid(),
                    event.generation(),
                    event.reason().toLowerCase(Locale.ROOT)))
        .endMetadata()
        .withNewInvolvedObject()
        .withApiVersion(policy.getApiVersion())
        .withKind(policy.getKind())
        .withName(name)
        .withUid(policy.getMetadata().getUid())
        .withResourceVersion(policy.getMetadata().getResourceVersion())
        .endInvolvedObject()
        .withType(event.warning() ? "Warning" : "Normal")
        .withReason(event.reason())
        .withMessage(message)
        .withFirstTimestamp(now)
        .withLastTimestamp(now)
        .withCount(1)
        .withNewSource()
        .withComponent("tokenbucket-operator")
        .endSource()
        .withReportingComponent("tokenbucket.dev/operator")
        .withReportingInstance("tokenbucket-operator")
        .build();
  }
}
