// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum sweep_limit} of sweep.bpf.c. The most keys that one run of the program can check. */
public final class SweepLimit {
  public static final int SWEEP_KEYS = 512;

  private SweepLimit() {}
}
