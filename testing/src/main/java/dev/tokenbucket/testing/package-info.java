// SPDX-License-Identifier: Apache-2.0
/**
 * The common ground of tests and demos: a real control plane, hosts and traffic. Also the demos.
 */
@NullMarked
package dev.tokenbucket.testing;

import org.jspecify.annotations.NullMarked;
