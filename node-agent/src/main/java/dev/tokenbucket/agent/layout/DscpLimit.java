// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum dscp_limit} of match.h. The number of DSCPs. */
public final class DscpLimit {
  public static final int DSCPS = 64;

  private DscpLimit() {}
}
