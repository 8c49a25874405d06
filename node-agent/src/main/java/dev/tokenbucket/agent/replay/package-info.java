// SPDX-License-Identifier: Apache-2.0
/** Runs captures through the classifier, and reports on their packets. */
@NullMarked
package dev.tokenbucket.agent.replay;

import org.jspecify.annotations.NullMarked;
