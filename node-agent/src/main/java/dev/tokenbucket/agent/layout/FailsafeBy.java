// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code enum failsafe_by} of failsafe.h. Bits of a peer's value: which port of a packet is the
 * service's.
 */
public final class FailsafeBy {
  public static final int FAILSAFE_BY_DESTINATION_PORT = 1 << 0;
  public static final int FAILSAFE_BY_SOURCE_PORT = 1 << 1;

  private FailsafeBy() {}
}
