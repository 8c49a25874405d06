// SPDX-License-Identifier: Apache-2.0
/** {@code make bench-scale}: the operator with thousands of nodes. */
@NullMarked
package dev.tokenbucket.testing.scale;

import org.jspecify.annotations.NullMarked;
