// SPDX-License-Identifier: Apache-2.0
/** Judges policies from files with the CRD's own schema and rules, in the API server's words. */
@NullMarked
package dev.tokenbucket.agent.validate;

import org.jspecify.annotations.NullMarked;
