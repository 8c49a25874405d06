// SPDX-License-Identifier: Apache-2.0
/**
 * A model of the classifier's shared-memory algorithm, whose steps are run in random and in all
 * orders. It is the algorithm's description too: begin with {@link
 * dev.tokenbucket.agent.model.KeyedPacket}.
 */
@NullMarked
package dev.tokenbucket.agent.model;

import org.jspecify.annotations.NullMarked;
