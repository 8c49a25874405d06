/** What a policy's status says: pure, without a client. */
@NullMarked
package dev.tokenbucket.operator.status;

import org.jspecify.annotations.NullMarked;
