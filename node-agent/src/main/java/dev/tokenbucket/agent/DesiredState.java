package dev.tokenbucket.agent;

import dev.tokenbucket.api.v1alpha1.NodePolicy;
import java.util.List;

/**
 * What this node is to run.
 *
 * @param generation of the object that says so; 0 in stand-alone mode
 * @param refusals what was not accepted and why, one line each
 */
public record DesiredState(long generation, List<NodePolicy> policies, List<String> refusals) {}
