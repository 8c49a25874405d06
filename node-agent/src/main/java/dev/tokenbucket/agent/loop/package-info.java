// SPDX-License-Identifier: Apache-2.0
/** The loops of a running agent, and the endpoints that show its health. */
@NullMarked
package dev.tokenbucket.agent.loop;

import org.jspecify.annotations.NullMarked;
