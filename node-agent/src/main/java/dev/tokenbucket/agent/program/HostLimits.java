// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import dev.tokenbucket.agent.hooks.HookConfiguration;
import dev.tokenbucket.agent.hooks.HookSet;
import dev.tokenbucket.agent.match.TermTables;
import dev.tokenbucket.api.v1alpha1.NodeLimits;

/** The limits of this agent, for callers that plan its policies. */
public final class HostLimits {
  public static final NodeLimits ALL =
      new NodeLimits(HookSet.MOST_SLOTS, HookConfiguration.MAX_POLICIES, TermTables.MAX_TERMS);

  private HostLimits() {}
}
