/** What nodes need to stay in their cluster: found in Nodes and EndpointSlices, and bounded. */
@NullMarked
package dev.tokenbucket.operator.failsafe;

import org.jspecify.annotations.NullMarked;
