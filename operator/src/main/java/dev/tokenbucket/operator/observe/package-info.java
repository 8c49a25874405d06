/** What the operator tells of itself: health and metrics. */
@NullMarked
package dev.tokenbucket.operator.observe;

import org.jspecify.annotations.NullMarked;
