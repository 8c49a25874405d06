// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.client;

import io.fabric8.kubernetes.api.model.AuthInfo;
import io.fabric8.kubernetes.api.model.NamedAuthInfo;
import io.fabric8.kubernetes.api.model.NamedContext;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.internal.KubeConfigUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The address of the API server and the client's credentials. Replaced tokens are read again. */
public final class ClusterAccess {
  /** Where a kubelet puts a pod's token and the API server's certificate authority. */
  public static final Path SERVICE_ACCOUNT =
      Path.of("/var/run/secrets/kubernetes.io/serviceaccount");

  private static final String HOST = "KUBERNETES_SERVICE_HOST";
  private static final String PORT = "KUBERNETES_SERVICE_PORT";

  private ClusterAccess() {}

  /** Whether this process is in a pod that was given a service account. */
  public static boolean inPod(Map<String, String> environment, Path serviceAccount) {
    return !environment.getOrDefault(HOST, "").isEmpty()
        && Files.exists(serviceAccount.resolve("token"));
  }

  /**
   * The configuration of a pod's service account.
   *
   * @param environment with the address and port of the service {@code kubernetes}
   * @param serviceAccount the folder with {@code token} and {@code ca.crt}
   * @throws IOException if one of these is missing; the message says what to do
   */
  public static Config ofPod(Map<String, String> environment, Path serviceAccount)
      throws IOException {
    String host = environment.getOrDefault(HOST, "");
    Path token = serviceAccount.resolve("token");
    Path authority = serviceAccount.resolve("ca.crt");
    if (host.isEmpty()) {
      throw new IOException(
          HOST + " is not set, so this process does not run in a pod; use a kubeconfig instead");
    }
    for (Path file : List.of(token, authority)) {
      if (!Files.isReadable(file)) {
        throw new IOException(
            file
                + " can't be read: run the pod with a service account and without"
                + " automountServiceAccountToken: false");
      }
    }
    String port = environment.getOrDefault(PORT, "443");
    return new ConfigBuilder(Config.empty())
        .withMasterUrl("https://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port)
        .withCaCertFile(authority.toString())
        .withOauthTokenProvider(new TokenFile(token))
        .build();
  }

  /**
   * The configuration of a kubeconfig's current context. Unlike the client library's own reading,
   * this one honours a user's {@code tokenFile}, which takes precedence over {@code token}, as in
   * kubectl.
   *
   * @throws IOException if the kubeconfig, or its token file, can't be read
   */
  public static Config ofKubeconfig(Path kubeconfig) throws IOException {
    if (!Files.isReadable(kubeconfig)) {
      throw new IOException("the kubeconfig " + kubeconfig + " can't be read");
    }
    Config config = Config.fromKubeconfig(kubeconfig.toFile());
    Optional<Path> tokenFile = tokenFile(kubeconfig);
    return tokenFile.isEmpty()
        ? config
        : new ConfigBuilder(config).withOauthTokenProvider(new TokenFile(tokenFile.get())).build();
  }

  private static Optional<Path> tokenFile(Path kubeconfig) {
    io.fabric8.kubernetes.api.model.Config read = KubeConfigUtils.parseConfig(kubeconfig.toFile());
    Optional<String> user =
        read.getContexts().stream()
            .filter(context -> context.getName().equals(read.getCurrentContext()))
            .map(NamedContext::getContext)
            .map(context -> String.valueOf(context.getUser()))
            .findFirst();
    return read.getUsers().stream()
        .filter(each -> user.isPresent() && each.getName().equals(user.get()))
        .map(NamedAuthInfo::getUser)
        .map(AuthInfo::getTokenFile)
        .filter(file -> file != null && !file.isEmpty())
        .map(file -> kubeconfig.toAbsolutePath().resolveSibling(file))
        .findFirst();
  }
}
