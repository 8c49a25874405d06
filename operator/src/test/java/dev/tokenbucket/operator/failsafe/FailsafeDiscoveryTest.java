// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.failsafe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tokenbucket.api.v1alpha1.NodeFailsafe;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FailsafeDiscoveryTest {
  private static FailsafeSettings settings(
      boolean discover, List<String> peers, List<String> servers, @Nullable String kubelet) {
    return FailsafeSettings.parse(
        discover, peers, servers, List.of("4789", "8472", "6081"), Optional.ofNullable(kubelet));
  }

  private static Node node(String name, Integer kubelet, String... addresses) {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name)
        .endMetadata()
        .withNewStatus()
        .withAddresses(
            Arrays.stream(addresses).map(each -> new NodeAddress(each, "InternalIP")).toList())
        .addNewAddress("198.51.100.1", "ExternalIP")
        .withNewDaemonEndpoints()
        .withNewKubeletEndpoint(kubelet)
        .endDaemonEndpoints()
        .endStatus()
        .build();
  }

  private static EndpointSlice slice(String name, List<Integer> ports, String... addresses) {
    EndpointSliceBuilder slice =
        new EndpointSliceBuilder()
            .withNewMetadata()
            .withName(name)
            .endMetadata()
            .withAddressType("IPv4")
            .addNewEndpoint()
            .withAddresses(addresses)
            .endEndpoint();
    ports.forEach(port -> slice.addNewPort().withProtocol("TCP").withPort(port).endPort());
    return slice.build();
  }

  private static NodeFailsafe found(FailsafeDiscovery discovery) {
    return Objects.requireNonNull(discovery.common());
  }

  @Test
  void nodesAreNetworksAndControlPlanesAreExactAndPeersToo() {
    FailsafeDiscovery discovery =
        new FailsafeDiscovery(settings(true, List.of("192.0.2.0/25"), List.of(), null));
    assertThat(discovery.put(node("a", 10_250, "10.0.1.5", "fd00:1::5"))).isTrue();
    assertThat(discovery.put(slice("kubernetes", List.of(6443), "10.0.9.1", "127.0.0.1"))).isTrue();
    assertThat(found(discovery))
        .isEqualTo(
            new NodeFailsafe(
                List.of("10.0.1.0/24", "10.0.9.1/32", "192.0.2.0/25", "fd00:1::/64"),
                null,
                List.of("10.0.9.1:6443"),
                List.of(4789, 6081, 8472)));

    assertThat(discovery.put(node("b", 10_250, "10.0.1.77"))).as("a known network").isFalse();
    assertThat(discovery.removeNode("a")).as("its IPv6 network goes").isTrue();
    assertThat(discovery.put(node("c", 10_250, "10.0.9.4"))).isTrue();
    assertThat(found(discovery).peers()).contains("10.0.9.0/24").doesNotContain("10.0.9.1/32");
    assertThat(discovery.removeSlice("kubernetes")).isTrue();
    assertThat(found(discovery).apiServers()).isEmpty();
  }

  @Test
  void aLyingNodeAddsLittle() {
    FailsafeDiscovery discovery = new FailsafeDiscovery(settings(true, List.of(), List.of(), null));
    String[] many =
        IntStream.range(0, 200).mapToObj(i -> "10." + i + ".0.1").toArray(String[]::new);
    discovery.put(node("liar", 70_000, many));
    assertThat(found(discovery).peers()).hasSizeLessThanOrEqualTo(4);
    discovery.put(node("liar", 0, "0.0.0.0", "127.0.0.1", "224.0.0.1", "0.0.0.0/0"));
    assertThat(discovery.common()).isNull();
    assertThat(discovery.kubeletPort(node("liar", 70_000))).isNull();
    assertThat(discovery.kubeletPort(node("other", 10_255))).isEqualTo(10_255);
    assertThat(discovery.kubeletPort(node("usual", 10_250))).isNull();
  }

  @Test
  void whatIsConfiguredStaysAndPortsNeverAreTooMany() {
    FailsafeDiscovery discovery =
        new FailsafeDiscovery(
            settings(true, List.of(), List.of("203.0.113.1:443", "[2001:db8::1]:443"), "10260"));
    discovery.put(slice("many", List.of(6443, 7443, 8443, 9443, 10_443, 11_443), "10.0.9.1"));
    NodeFailsafe found = found(discovery).withKubeletPort(10_260);
    assertThat(found.apiServers()).contains("203.0.113.1:443", "[2001:db8::1]:443");
    Set<Integer> ports = new HashSet<>(found.overlayPorts());
    ports.add(found.kubeletPort());
    found
        .apiServers()
        .forEach(each -> ports.add(Integer.valueOf(each.substring(each.lastIndexOf(':') + 1))));
    assertThat(ports).hasSize(NodeFailsafe.MAX_PORTS);
    assertThat(discovery.kubeletPort(node("any", 10_250))).isEqualTo(10_260);
  }

  @Test
  void withoutDiscoveryOnlyWhatIsConfiguredIsExempt() {
    FailsafeDiscovery discovery =
        new FailsafeDiscovery(settings(false, List.of("10.0.0.7/8"), List.of(), null));
    assertThat(discovery.put(node("a", 10_255, "10.0.1.5"))).isFalse();
    assertThat(discovery.kubeletPort(node("a", 10_255, "10.0.1.5"))).isNull();
    assertThat(found(discovery).peers()).containsExactly("10.0.0.0/8");
    assertThat(new FailsafeDiscovery(FailsafeSettings.NONE).common()).isNull();
  }

  @Test
  void aWrongSettingIsNamed() {
    assertThatThrownBy(() -> settings(true, List.of("0.0.0.0/0"), List.of(), null))
        .hasMessageContaining("TOKENBUCKET_FAILSAFE_PEERS: \"0.0.0.0/0\"");
    assertThatThrownBy(() -> settings(true, List.of(), List.of("127.0.0.1:6443"), null))
        .hasMessageContaining("TOKENBUCKET_FAILSAFE_API_SERVERS: \"127.0.0.1:6443\"");
    assertThatThrownBy(() -> settings(true, List.of(), List.of("10.0.0.1:0"), null))
        .hasMessageContaining("IPV4:PORT");
    assertThatThrownBy(() -> settings(true, List.of(), List.of(), "x"))
        .hasMessageContaining("TOKENBUCKET_FAILSAFE_KUBELET_PORT: \"x\"")
        .hasMessageContaining("1 to 65535");
    assertThatThrownBy(
            () ->
                FailsafeSettings.parse(
                    true,
                    List.of(),
                    List.of(),
                    List.of("1", "2", "3", "4", "5", "6", "7"),
                    Optional.empty()))
        .hasMessageContaining("TOKENBUCKET_FAILSAFE_OVERLAY_PORTS has 7 values: at most 6");
  }
}
