// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.operator.plan;

/**
 * The reason why a node has no room for a policy.
 *
 * @param reason one word
 * @param message the exceeded limit, and what to do
 */
public record Refusal(String reason, String message) {}
