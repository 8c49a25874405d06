package dev.tokenbucket.api.v1alpha1;

/** A node that could not program a policy, and why. */
public record FailedNode(String name, String reason, String message) {}
