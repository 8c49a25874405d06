// SPDX-License-Identifier: Apache-2.0
/** Conventions that all parts of the project share, other than the API's types. */
@NullMarked
package dev.tokenbucket.api;

import org.jspecify.annotations.NullMarked;
