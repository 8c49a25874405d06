// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tokenbucket.api.client.ClusterAccess;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;

/** The operator's client for the API server, which can read objects that other versions wrote. */
public final class OperatorClient {
  private OperatorClient() {}

  /**
   * The configuration from the kubeconfig named by KUBECONFIG, else from the pod's service account,
   * else from the user's kubeconfig.
   *
   * @throws UncheckedIOException if the configuration can't be read
   */
  public static Config config(Map<String, String> environment) {
    String kubeconfig = environment.getOrDefault("KUBECONFIG", "");
    try {
      if (!kubeconfig.isEmpty()) {
        return ClusterAccess.ofKubeconfig(Path.of(kubeconfig));
      }
      return ClusterAccess.inPod(environment, ClusterAccess.SERVICE_ACCOUNT)
          ? ClusterAccess.ofPod(environment, ClusterAccess.SERVICE_ACCOUNT)
          : Config.autoConfigure(null);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** A client that accepts fields and values of later versions. */
  public static KubernetesClientBuilder builder(Config config) {
    ObjectMapper mapper =
        new ObjectMapper()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_AS_NULL);
    return new KubernetesClientBuilder()
        .withConfig(config)
        .withKubernetesSerialization(new KubernetesSerialization(mapper, true));
  }
}
