package dev.tokenbucket.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Size;
import java.util.Comparator;
import java.util.List;

/** One policy as a node is to run it: every default resolved, every quantity a whole number. */
public record NodePolicy(
    @JsonPropertyDescription("The policy's name.") String name,
    @JsonPropertyDescription("The policy's uid.") String uid,
    @JsonPropertyDescription("The policy's generation that this entry was made from.")
        long generation,
    @Size(max = 32) List<InterfaceSelector> interfaces,
    Direction direction,
    @JsonPropertyDescription("Lower first, ties by name.") int priority,
    BucketPer per,
    @JsonPropertyDescription("How many buckets at the most.") int capacity,
    @JsonPropertyDescription("Leading bits of an IPv4 address that make the key.")
        int ipv4PrefixLength,
    @JsonPropertyDescription("Leading bits of an IPv6 address that make the key.")
        int ipv6PrefixLength,
    @JsonPropertyDescription("What a token is.") RateUnit unit,
    @JsonPropertyDescription("Q in packets or bits a second.") long rate,
    @JsonPropertyDescription("B in packets or bytes.") long burst,
    ExceedAction action,
    Mode mode) {
  /** The order in which a packet meets the policies: lower priority first, ties by name. */
  public static final Comparator<NodePolicy> ORDER =
      Comparator.comparingInt(NodePolicy::priority).thenComparing(NodePolicy::name);
}
