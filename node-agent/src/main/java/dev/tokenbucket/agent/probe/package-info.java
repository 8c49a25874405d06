// SPDX-License-Identifier: Apache-2.0
/**
 * The commands of the chart's hooks: they prove a limit with packets, and wait for nodes to be
 * cleaned.
 */
@NullMarked
package dev.tokenbucket.agent.probe;

import org.jspecify.annotations.NullMarked;
