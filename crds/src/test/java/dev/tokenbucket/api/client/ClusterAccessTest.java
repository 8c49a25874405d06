// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterAccessTest {
  private static final Map<String, String> POD =
      Map.of("KUBERNETES_SERVICE_HOST", "fd00::1", "KUBERNETES_SERVICE_PORT", "6443");

  @TempDir Path folder;

  private void write(String file, String text) throws IOException {
    Files.writeString(folder.resolve(file), text);
  }

  @Test
  void aPodHasAServiceAccountAndTheServicesAddress() throws IOException {
    assertThat(ClusterAccess.inPod(POD, folder)).isFalse();
    assertThatThrownBy(() -> ClusterAccess.ofPod(POD, folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("automountServiceAccountToken");
    write("token", "first\n");
    write("ca.crt", "");
    assertThat(ClusterAccess.inPod(POD, folder)).isTrue();
    assertThat(ClusterAccess.inPod(Map.of(), folder)).isFalse();
    Config config = ClusterAccess.ofPod(POD, folder);
    assertThat(config.getMasterUrl()).startsWith("https://[fd00::1]:6443");
    assertThat(config.getCaCertFile()).isEqualTo(folder.resolve("ca.crt").toString());
    assertThatThrownBy(() -> ClusterAccess.ofPod(Map.of(), folder))
        .hasMessageContaining("KUBERNETES_SERVICE_HOST is not set");
  }

  @Test
  void aReplacedTokenIsUsedAndAMissingOneLeavesTheLast() throws IOException {
    write("token", "first\n");
    TokenFile token = new TokenFile(folder.resolve("token"));
    assertThat(token.getToken()).isEqualTo("first");
    write("token", "second");
    assertThat(token.getToken()).isEqualTo("second");
    write("token", "");
    assertThat(token.getToken()).isEqualTo("second");
    Files.delete(folder.resolve("token"));
    assertThat(token.getToken()).isEqualTo("second");
    assertThatThrownBy(() -> new TokenFile(folder.resolve("token")))
        .isInstanceOf(IOException.class);
  }

  @Test
  void aKubeconfigsTokenFileIsFoundBesideItAndGoesBeforeItsToken() throws IOException {
    write("agent.token", "from-the-file");
    write(
        "kubeconfig",
        """
        apiVersion: v1
        kind: Config
        current-context: here
        clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
        contexts: [{name: here, context: {cluster: c, user: agent}}]
        users:
        - {name: other, user: {token: others}}
        - {name: agent, user: {token: literal, tokenFile: agent.token}}
        """);
    Config config = ClusterAccess.ofKubeconfig(folder.resolve("kubeconfig"));
    assertThat(config.getMasterUrl()).startsWith("https://127.0.0.1:1");
    assertThat(config.getOauthTokenProvider().getToken()).isEqualTo("from-the-file");
    write("agent.token", "rotated");
    assertThat(config.getOauthTokenProvider().getToken()).isEqualTo("rotated");
    assertThatThrownBy(() -> ClusterAccess.ofKubeconfig(folder.resolve("none")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("can't be read");
  }
}
