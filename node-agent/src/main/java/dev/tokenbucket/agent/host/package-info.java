// SPDX-License-Identifier: Apache-2.0
/** This host: what the agent needs from it, what the agent locks on it, and the agent's files. */
@NullMarked
package dev.tokenbucket.agent.host;

import org.jspecify.annotations.NullMarked;
