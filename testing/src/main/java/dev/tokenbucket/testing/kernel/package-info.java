// SPDX-License-Identifier: Apache-2.0
/** Native calls that tests and benchmarks need and the agent does not. */
@NullMarked
package dev.tokenbucket.testing.kernel;

import org.jspecify.annotations.NullMarked;
