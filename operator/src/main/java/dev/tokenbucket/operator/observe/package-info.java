// SPDX-License-Identifier: Apache-2.0
/** The operator's own health and metrics. */
@NullMarked
package dev.tokenbucket.operator.observe;

import org.jspecify.annotations.NullMarked;
