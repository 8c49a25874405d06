// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.api.v1alpha1.Hook;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import dev.tokenbucket.testing.StepFailedException;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The measured policies, as a user would write them. */
final class BenchPolicies {
  /** The name of the policy that judges the packets. */
  static final String MEASURED = "measured";

  /** B of every policy and of the textbook, in packets, unless stated otherwise. */
  static final long BURST = 65_536;

  /** A B so small that nothing is handed out in advance. */
  static final long SMALL_BURST = 63;

  /** Q if every packet must conform, and if none may, in packets per second. */
  private static final String UNREACHED = "10G";

  private static final String NEXT_TO_NOTHING = "1";

  /** The most policies that a hook accepts beside the measured one. */
  static final int OTHERS = 63;

  private static final int OTHER_PORT = 20_000;

  /** Follows the third byte of the packet's source address. */
  private static final int FIRST_NEARBY = 11;

  private static final int NETWORK_TERMS = 4;
  private static final int NETWORKS_A_TERM = 250;

  private BenchPolicies() {}

  /** A policy with this {@code spec} and with every default filled in, as nodes get it. */
  static NodePolicy policy(String name, String spec) {
    try {
      return PolicyResolver.resolve(
          name, name, 1, new YAMLMapper().readValue(spec, TokenBucketPolicySpec.class));
    } catch (JsonProcessingException e) {
      throw new StepFailedException("policy " + name + ": " + e.getMessage(), e);
    }
  }

  /** A policy for all traffic that enters through an interface, with this key. */
  static NodePolicy all(String interfaceName, String per, Subject.Expected expected) {
    return all(interfaceName, per, expected, BURST);
  }

  /** The policy above, with another B. */
  static NodePolicy all(String interfaceName, String per, Subject.Expected expected, long burst) {
    String rate = expected == Subject.Expected.CONFORM ? UNREACHED : NEXT_TO_NOTHING;
    return all(interfaceName, per, rate, burst);
  }

  /** A policy with the same limit as the other limiters under the flood. */
  static NodePolicy flooded(String interfaceName, Hook hook, String bucket, Limiter.Limit limit) {
    return policy(
        MEASURED,
        spec(interfaceName, bucket, Integer.toString(limit.rate()), limit.burst())
            + "hook: %s\n".formatted(hook));
  }

  /**
   * A node-wide policy that every packet conforms to, behind 63 policies that no packet matches.
   */
  static List<NodePolicy> behindOthers(String interfaceName, IntFunction<String> match) {
    Stream<NodePolicy> others =
        IntStream.range(0, OTHERS)
            .mapToObj(
                i ->
                    policy(
                        "before-" + i,
                        spec(interfaceName, "per: Node", UNREACHED, BURST) + match.apply(i)));
    return Stream.concat(others, Stream.of(all(interfaceName, "Node", Subject.Expected.CONFORM)))
        .toList();
  }

  /** A destination port that no packet has, one per number. */
  static String otherPort(int number) {
    return "match:\n- destinationPorts: [%d]\n".formatted(OTHER_PORT + number);
  }

  /** A source network that no packet is from, one per number. */
  static String otherNetwork(int number) {
    return "match:\n- sourceCIDRs: [192.0.%d.0/24]\n".formatted(number);
  }

  /** The network above, but with the first 16 bits of the packet's source. */
  static String otherNetworkNearby(int number) {
    return "match:\n- sourceCIDRs: [10.77.%d.0/24]\n".formatted(FIRST_NEARBY + number);
  }

  /**
   * A node-wide policy with 1,000 source networks in four terms. One network per term holds the
   * packet.
   */
  static NodePolicy manyNetworks(String interfaceName) {
    StringBuilder match = new StringBuilder("match:\n");
    for (int term = 0; term < NETWORK_TERMS; term++) {
      int first = term * NETWORKS_A_TERM;
      match.append("- sourceCIDRs: [").append(UdpFrame.SOURCE_NETWORK_16);
      for (int i = first; i < first + NETWORKS_A_TERM - 1; i++) {
        match.append(", 172.%d.%d.0/24".formatted(16 + i / 250, i % 250));
      }
      match.append("]\n");
    }
    return policy(MEASURED, spec(interfaceName, "per: Node", UNREACHED, BURST) + match);
  }

  private static NodePolicy all(String interfaceName, String per, String rate, long burst) {
    return policy(MEASURED, spec(interfaceName, "per: " + per, rate, burst));
  }

  private static String spec(String interfaceName, String bucket, String rate, long burst) {
    return """
        interfaces:
        - name: %s
        bucket: {%s}
        rate:
          packetsPerSecond: %s
        burst:
          packets: %d
        """
        .formatted(interfaceName, bucket, rate, burst);
  }
}
