// SPDX-License-Identifier: Apache-2.0
/** Match terms and failsafes in the form of the classifier's maps: pure, without a kernel. */
@NullMarked
package dev.tokenbucket.agent.match;

import org.jspecify.annotations.NullMarked;
