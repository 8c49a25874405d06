// SPDX-License-Identifier: Apache-2.0
/** Hooks: the policies that each hook should run, and the program that enforces them. */
@NullMarked
package dev.tokenbucket.agent.hooks;

import org.jspecify.annotations.NullMarked;
