/** Match terms and failsafes as the classifier's maps hold them: pure, without a kernel. */
@NullMarked
package dev.tokenbucket.agent.match;

import org.jspecify.annotations.NullMarked;
