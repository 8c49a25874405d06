// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** More sources than places. Each spoofed address sends one packet. */
class FullTableTrafficTest extends HostTest {
  private static final int PORT = 7001;
  private static final int SPOOFED = 400;

  @BeforeAll
  void anyAddressIsTheSources() {
    atSourceRun("ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo");
  }

  private static String limited(String bucket) {
    return "match: [{protocol: UDP, destinationPorts: [7001]}], bucket: {"
        + bucket
        + "}, rate: {packetsPerSecond: 1}, burst: {packets: 5}";
  }

  private int from(String address, int count) throws Exception {
    try (DatagramSocket to = atHost(host.address(), PORT);
        DatagramSocket from = atSource(address)) {
      return arriving(count, from, to);
    }
  }

  /** Spends each spoofed source's burst, so that no bucket is idle for the next seconds. */
  private void spoof() throws Exception {
    try (DatagramSocket to = atHost(host.address(), PORT)) {
      Inside.call(
          sourceNamespace(),
          () -> {
            for (int i = 0; i < SPOOFED; i++) {
              String address = "10.99.%d.%d".formatted(i / 200, 1 + i % 200);
              try (DatagramSocket from = new DatagramSocket(new InetSocketAddress(address, 0))) {
                send(5, from, to);
              }
            }
            return SPOOFED;
          });
    }
  }

  @Test
  void aKnownSourceKeepsItsBucketWhileSpoofedOnesShareOne() throws Exception {
    apply(policy("share", limited("per: SourceIP, capacity: 100")));
    assertThat(from("10.88.1.3", 3)).isEqualTo(3);
    spoof();

    assertThat(from("10.88.1.4", 20)).as("a new source shares").isLessThanOrEqualTo(2);
    assertThat(from("10.88.1.3", 20)).as("the known one has what it left").isBetween(2, 5);
    assertThat(host.policy("share").path("overflowPackets").asInt()).isPositive();
  }

  @Test
  void evictingTheOldestLetsNewSourcesIn() throws Exception {
    apply(policy("evict", limited("per: SourceIP, capacity: 100, onFull: EvictOldest")));
    spoof();
    assertThat(from("10.88.1.4", 20)).isBetween(5, 6);
    assertThat(host.policy("evict").path("buckets").path("evicted").asInt()).isPositive();
    assertThat(host.policy("evict").path("overflowPackets").asInt()).isZero();
  }

  @Test
  void anotherCapacityOrKeyStartsFullBuckets() throws Exception {
    apply(policy("resized", limited("per: SourceIP, capacity: 100")));
    assertThat(from("10.88.1.2", 20)).isBetween(5, 6);
    assertThat(from("10.88.1.2", 20)).isLessThanOrEqualTo(2);
    apply(policy("resized", limited("per: SourceIP, capacity: 200")));
    assertThat(from("10.88.1.2", 20)).isBetween(5, 6);
    apply(policy("resized", limited("per: Node")));
    assertThat(from("10.88.1.2", 20)).isBetween(5, 6);
  }
}
