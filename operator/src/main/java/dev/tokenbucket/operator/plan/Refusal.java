package dev.tokenbucket.operator.plan;

/**
 * Why a node has no room for a policy.
 *
 * @param reason in one word
 * @param message which limit, and what to do
 */
public record Refusal(String reason, String message) {}
