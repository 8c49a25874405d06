// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The kinds as a user of kubectl sees them, while no program of Tokenbucket runs. */
@ExtendWith(ControlPlaneExtension.class)
class KubectlTest {
  private static final String STATUS =
      """
      {"status": {"rate": "10 packets/s", "burst": "10 packets",
       "nodes": {"desired": 3, "programmed": 1, "pending": 1, "failed": 1, "unknown": 0, "summary": "1/3"},
       "conditions": [{"type": "Ready", "status": "False", "reason": "NodesFailed",
         "message": "1 of 3 nodes failed", "lastTransitionTime": "2026-01-01T12:00:00Z"}]}}
      """;

  @TempDir Path folder;

  @Test
  void explainReadsAsDocumentation(ControlPlane controlPlane) {
    String spec = Commands.run(controlPlane.kubectl("explain", "tbp.spec"));

    assertThat(spec)
        .contains("A limit on traffic")
        .doesNotContainPattern("\\b[QB]\\b")
        .contains("rate\t<Object> -required-")
        .doesNotContain("<no description>");
    for (String field :
        List.of("match", "exempt", "bucket", "rate", "burst", "exceed", "failsafe", "rollout")) {
      assertThat(spec).contains("  " + field + "\t<");
      assertThat(Commands.run(controlPlane.kubectl("explain", "tbp.spec." + field)))
          .contains("DESCRIPTION:")
          .doesNotContain("<no description>");
    }
    for (String kind : List.of("tbp", "tbas", "tbns")) {
      assertThat(Commands.run(controlPlane.kubectl("explain", kind)))
          .contains("    A TokenBucket")
          .doesNotContain("<empty>");
      assertThat(Commands.run(controlPlane.kubectl("explain", kind, "--recursive")))
          .contains("spec");
    }
    assertThat(Commands.run(controlPlane.kubectl("explain", "tbp.spec.match.destinationPorts")))
        .contains("format and rules are those of");
  }

  @Test
  void wideOutputAddsBurstOrderAndReason(ControlPlane controlPlane) throws IOException {
    apply(controlPlane, "wide", "{priority: 7, rate: {packetsPerSecond: 10}}");
    try {
      Commands.run(
          controlPlane.kubectl(
              "patch", "tbp", "wide", "--subresource=status", "--type=merge", "-p", STATUS));

      String narrow = Commands.run(controlPlane.kubectl("get", "tbp", "wide"));
      String wide = Commands.run(controlPlane.kubectl("get", "tbp", "wide", "-o", "wide"));

      assertThat(narrow).contains("NODES   READY").doesNotContain("REASON");
      assertThat(wide).containsPattern("BURST +PRIORITY +ACTION +REASON +MESSAGE");
      assertThat(wide)
          .containsPattern("1/3 +False .*10 packets +7 +Drop +NodesFailed +1 of 3 nodes failed");
      assertThat(Commands.run(controlPlane.kubectl("get", "tokenbucket"))).contains("wide");
    } finally {
      Commands.run(controlPlane.kubectl("delete", "tbp", "wide"));
    }
  }

  /**
   * The rules have a cost limit per request. Every object that the schema allows must stay within
   * it.
   */
  @Test
  void aPolicyAtTheLimitsIsTaken(ControlPlane controlPlane) throws IOException {
    String networks =
        IntStream.range(0, 256)
            .mapToObj(i -> "2001:db8:ffff:ffff:ffff:ffff:ffff:%x/128".formatted(i))
            .collect(Collectors.joining("', '", "['", "']"));
    String ports =
        IntStream.range(0, 64)
            .mapToObj(i -> "%d-%d".formatted(60_000 + 2 * i, 60_001 + 2 * i))
            .collect(Collectors.joining("', '", "['", "']"));
    String others =
        IntStream.range(0, 64)
            .mapToObj(i -> "2001:db8:eeee:ffff:ffff:ffff:ffff:%x/128".formatted(i))
            .collect(Collectors.joining("', '", "['", "']"));
    String dscps = IntStream.range(0, 64).boxed().toList().toString();
    String sets =
        IntStream.range(0, 8)
            .mapToObj(i -> "%s%d".formatted("s".repeat(252), i))
            .collect(Collectors.joining("', '", "['", "']"));
    String terms =
        IntStream.range(0, 64)
            .mapToObj(
                i ->
                    "{protocol: 6, sourceCIDRs: %s, destinationCIDRs: %s, sourcePorts: %s,"
                            .formatted(networks, networks, ports)
                        + " notDestinationPorts: %s, notSourceCIDRs: %s, notDestinationCIDRs: %s,"
                            .formatted(ports, others, others)
                        + " packetLengths: %s, dscps: %s, tcpFlags: {set: [SYN], unset: [ACK]},"
                            .formatted(ports, dscps)
                        + " sourceAddressSets: %s, destinationAddressSets: %s}"
                            .formatted(sets, sets))
            .collect(Collectors.joining(", "));
    Path file = folder.resolve("limits.yaml");
    Files.writeString(
        file, document("limits", "{rate: {connectionsPerSecond: 10}, match: [" + terms + "]}"));

    assertThat(
            Commands.run(controlPlane.kubectl("create", "--dry-run=server", "-f", file.toString())))
        .contains("created");
  }

  private void apply(ControlPlane controlPlane, String name, String spec) throws IOException {
    Path file = folder.resolve(name + ".yaml");
    Files.writeString(file, document(name, spec));
    Commands.run(controlPlane.kubectl("apply", "-f", file.toString()));
  }

  private static String document(String name, String spec) {
    return """
    apiVersion: tokenbucket.dev/v1alpha1
    kind: TokenBucketPolicy
    metadata: {name: %s}
    spec: %s
    """
        .formatted(name, spec);
  }
}
