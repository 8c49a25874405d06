package dev.tokenbucket.operator.status;

import dev.tokenbucket.api.v1alpha1.NodePolicyStatus;
import org.jspecify.annotations.Nullable;

/**
 * One node in one policy's sight.
 *
 * @param desired whether the policy concerns the node now
 * @param entry what the node's agent last read back of the policy; absent where it said nothing
 */
public record NodeReport(String node, boolean desired, @Nullable NodePolicyStatus entry) {}
