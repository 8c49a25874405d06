// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodePlaceTest {
  @Test
  void theNameIsTheOptionsElseTheEnvironments() throws IOException {
    Map<String, String> environment = Map.of("NODE_NAME", "by-environment");
    assertThat(NodePlace.name("given", environment, true)).isEqualTo("given");
    assertThat(NodePlace.name(null, environment, true)).isEqualTo("by-environment");
    assertThat(NodePlace.name(null, environment, false)).isEqualTo("by-environment");
  }

  @Test
  void aPodsOwnNameIsNeverTakenForTheNodes() throws IOException {
    assertThatThrownBy(() -> NodePlace.name(null, Map.of("NODE_NAME", ""), true))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("NODE_NAME")
        .hasMessageContaining("spec.nodeName");
    assertThat(NodePlace.name(null, Map.of(), false))
        .isEqualTo(InetAddress.getLocalHost().getHostName());
  }

  @Test
  void anAddressOfTheNodeThatIsNotHereMeansThatTheHostsNetworkIsMissing() throws IOException {
    assertThat(NodePlace.obstacle(Map.of())).isEmpty();
    assertThat(NodePlace.obstacle(Map.of("HOST_IP", "127.0.0.1"))).isEmpty();
    assertThat(NodePlace.obstacle(Map.of("HOST_IP", "192.0.2.1,127.0.0.1"))).isEmpty();
    assertThat(NodePlace.obstacle(Map.of("HOST_IP", "192.0.2.1")))
        .hasValueSatisfying(
            obstacle ->
                assertThat(obstacle)
                    .startsWith("hostNetwork: true is missing")
                    .contains("192.0.2.1"));
    assertThatThrownBy(() -> NodePlace.obstacle(Map.of("HOST_IP", "node-1")))
        .hasMessageContaining("HOST_IP node-1: must be an address");
  }
}
