// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.tokenbucket.agent.compile;

import org.jspecify.annotations.NullMarked;
