// SPDX-License-Identifier: Apache-2.0
/**
 * What nodes need to stay in their cluster: found in Nodes and EndpointSlices, and bounded in
 * number.
 */
@NullMarked
package dev.tokenbucket.operator.failsafe;

import org.jspecify.annotations.NullMarked;
