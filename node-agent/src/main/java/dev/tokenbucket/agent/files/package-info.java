// SPDX-License-Identifier: Apache-2.0
/** What several packages do with files. */
@NullMarked
package dev.tokenbucket.agent.files;

import org.jspecify.annotations.NullMarked;
