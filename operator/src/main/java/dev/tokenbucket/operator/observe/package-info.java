/** The operator's own health and metrics. */
@NullMarked
package dev.tokenbucket.operator.observe;

import org.jspecify.annotations.NullMarked;
