/** What each node is to run: pure, without a client. */
@NullMarked
package dev.tokenbucket.operator.plan;

import org.jspecify.annotations.NullMarked;
