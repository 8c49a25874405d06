/**
 * What the operator knows of nodes, policies and node states, kept so that a change costs little.
 */
@NullMarked
package dev.tokenbucket.operator.fleet;

import org.jspecify.annotations.NullMarked;
