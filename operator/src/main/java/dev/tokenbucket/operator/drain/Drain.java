// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.drain;

import dev.tokenbucket.api.Texts;
import dev.tokenbucket.api.v1alpha1.TokenBucketNodeState;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicy;
import dev.tokenbucket.operator.PolicyReconciler;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Deletes every policy and waits until they are gone; the operator lets a policy go once every node
 * has confirmed its removal. After the timeout, for example because no operator runs, the remaining
 * policies lose their finalizer without confirmation. So no policy is left that would block a
 * deletion of the CRDs.
 */
final class Drain {
  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final int NAMED = 20;
  private static final long PAGE = 250;

  private final KubernetesClient client;
  private final Consumer<String> out;

  /**
   * @param out receives a line per step
   */
  Drain(KubernetesClient client, Consumer<String> out) {
    this.client = client;
    this.out = out;
  }

  /** Whether every node has confirmed. No policy is left in either case. */
  boolean run(Duration timeout) {
    int count = policies().size();
    out.accept(
        "deleting "
            + Texts.count(count, "policy")
            + "; waiting up to "
            + timeout.toSeconds()
            + " s");
    client.resources(TokenBucketPolicy.class).delete();
    List<TokenBucketPolicy> left = await(timeout);
    if (left.isEmpty()) {
      out.accept("drained: no policy is left, and every reachable node has confirmed the removal");
      return true;
    }
    out.accept(
        Texts.count(left.size(), "policy")
            + " still there after "
            + timeout.toSeconds()
            + " s: "
            + Texts.first(NAMED, left.stream().map(each -> each.getMetadata().getName()).toList())
            + "; removing their finalizer");
    List<String> nodes = holders();
    left.forEach(this::letGo);
    if (nodes.isEmpty()) {
      out.accept("no node state lists a policy; nothing was enforced");
      return true;
    }
    out.accept(
        Texts.count(nodes.size(), "node")
            + " did not confirm, and their limits stay in force until `tb cleanup` has run on"
            + " each: "
            + Texts.first(NAMED, nodes));
    return false;
  }

  private List<TokenBucketPolicy> policies() {
    try {
      return client.resources(TokenBucketPolicy.class).list().getItems();
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
        return List.of();
      }
      throw e;
    }
  }

  private List<TokenBucketPolicy> await(Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    List<TokenBucketPolicy> left = policies();
    while (!left.isEmpty() && System.nanoTime() < end) {
      try {
        Thread.sleep(PAUSE.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return left;
      }
      left = policies();
    }
    return left;
  }

  /** The nodes whose node state lists a policy, either in its spec or in its status. */
  private List<String> holders() {
    TreeSet<String> nodes = new TreeSet<>();
    @Nullable String next = null;
    do {
      var page =
          client
              .resources(TokenBucketNodeState.class)
              .list(new ListOptionsBuilder().withLimit(PAGE).withContinue(next).build());
      page.getItems().stream()
          .filter(Drain::holds)
          .forEach(state -> nodes.add(state.getMetadata().getName()));
      next = page.getMetadata().getContinue();
    } while (next != null && !next.isEmpty());
    return List.copyOf(nodes);
  }

  private static boolean holds(TokenBucketNodeState state) {
    boolean asked =
        state.getSpec() != null
            && state.getSpec().policies() != null
            && !state.getSpec().policies().isEmpty();
    boolean answers =
        state.getStatus() != null
            && state.getStatus().policies() != null
            && !state.getStatus().policies().isEmpty();
    return asked || answers;
  }

  private void letGo(TokenBucketPolicy policy) {
    List<String> others = new ArrayList<>(policy.getMetadata().getFinalizers());
    others.remove(PolicyReconciler.FINALIZER);
    String patch =
        Serialization.asJson(
            Map.of(
                "metadata",
                Map.of(
                    "finalizers",
                    others,
                    "resourceVersion",
                    policy.getMetadata().getResourceVersion())));
    try {
      client
          .resources(TokenBucketPolicy.class)
          .withName(policy.getMetadata().getName())
          .patch(PatchContext.of(PatchType.JSON_MERGE), patch);
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_NOT_FOUND) {
        throw e;
      }
    }
  }
}
