// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.tokenbucket.agent.kernel;

import org.jspecify.annotations.NullMarked;
