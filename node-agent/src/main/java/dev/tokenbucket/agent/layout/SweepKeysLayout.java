// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/**
 * {@code struct sweep_keys} of sweep.bpf.c. Keys of buckets that may be full. Of an address key,
 * only the first 24 bytes count.
 */
public final class SweepKeysLayout {
  /** The map that holds it. */
  public static final String MAP = "sweep_keys";

  public static final Struct STRUCT =
      Struct.named("sweep_keys").struct("key", FlowKeyLayout.STRUCT, SweepLimit.SWEEP_KEYS).build();

  private SweepKeysLayout() {}
}
