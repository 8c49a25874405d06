/** Of two replicas one writes: who holds the lease, and what happens when it is lost. */
@NullMarked
package dev.tokenbucket.operator.lease;

import org.jspecify.annotations.NullMarked;
