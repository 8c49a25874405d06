// SPDX-License-Identifier: Apache-2.0
/** How the operator talks to an API server that is busy, restarting or away. */
@NullMarked
package dev.tokenbucket.operator.retry;

import org.jspecify.annotations.NullMarked;
