package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.rollout.AgentContact;
import java.util.Optional;

/**
 * A node whose node state lists a policy.
 *
 * @param node absent where there is no such Node any more
 * @param agent what is known of its agent
 */
public record Holder(Optional<NodeView> node, AgentContact agent) {}
