// SPDX-License-Identifier: Apache-2.0
/** The sources of the desired state, a cluster or a folder, which also receive the reports. */
@NullMarked
package dev.tokenbucket.agent.source;

import org.jspecify.annotations.NullMarked;
