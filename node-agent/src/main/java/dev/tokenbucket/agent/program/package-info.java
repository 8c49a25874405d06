// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.tokenbucket.agent.program;

import org.jspecify.annotations.NullMarked;
