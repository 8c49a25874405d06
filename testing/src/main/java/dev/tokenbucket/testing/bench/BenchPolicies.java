package dev.tokenbucket.testing.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tokenbucket.api.v1alpha1.NodePolicy;
import dev.tokenbucket.api.v1alpha1.PolicyResolver;
import dev.tokenbucket.api.v1alpha1.TokenBucketPolicySpec;
import dev.tokenbucket.testing.StepFailedException;

/** The policies that are measured, as a user would write them. */
final class BenchPolicies {
  /** The name of the policy that judges the packets. */
  static final String MEASURED = "measured";

  /** B of every policy and of the textbook, in packets. */
  static final long BURST = 65_536;

  /** Q where every packet is to conform, and where none is, in packets a second. */
  private static final String UNREACHED = "10G";

  private static final String NEXT_TO_NOTHING = "1";

  private BenchPolicies() {}

  /** A policy of this {@code spec}, with every default filled in as for a node. */
  static NodePolicy policy(String name, String spec) {
    try {
      return PolicyResolver.resolve(
          name, name, 1, new YAMLMapper().readValue(spec, TokenBucketPolicySpec.class));
    } catch (JsonProcessingException e) {
      throw new StepFailedException("policy " + name + ": " + e.getMessage(), e);
    }
  }

  /** All traffic that comes in by an interface, by this key. */
  static NodePolicy all(String interfaceName, String per, Subject.Expected expected) {
    String rate = expected == Subject.Expected.CONFORM ? UNREACHED : NEXT_TO_NOTHING;
    return all(interfaceName, per, rate, BURST);
  }

  /** As the other limiters are set that the flood meets. */
  static NodePolicy flooded(String interfaceName, String per) {
    return all(interfaceName, per, Integer.toString(EndToEnd.RATE), EndToEnd.BURST);
  }

  private static NodePolicy all(String interfaceName, String per, String rate, long burst) {
    return policy(
        MEASURED,
        """
        interfaces:
        - name: %s
        priority: 900
        bucket:
          per: %s
        rate:
          packetsPerSecond: %s
        burst:
          packets: %d
        """
            .formatted(interfaceName, per, rate, burst));
  }
}
