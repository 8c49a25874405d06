// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.fleet;

import dev.tokenbucket.operator.rollout.AgentContact;
import java.util.Optional;

/**
 * A node whose node state lists a policy.
 *
 * @param node absent if the Node does not exist any more
 * @param agent the contact with the node's agent
 */
public record Holder(Optional<NodeView> node, AgentContact agent) {}
