// SPDX-License-Identifier: Apache-2.0
@NullMarked
package dev.tokenbucket.agent;

import org.jspecify.annotations.NullMarked;
