// SPDX-License-Identifier: Apache-2.0
/** Checks whether the API server serves the kinds as this operator knows them. */
@NullMarked
package dev.tokenbucket.operator.schema;

import org.jspecify.annotations.NullMarked;
