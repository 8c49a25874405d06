// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/** A bucket's key, in two words; {@code last} is never 0. */
record Key(String name, int first, int last) {}
