package dev.tokenbucket.agent.layout;

/** {@code enum sweep_limit} of sweep.bpf.c. Keys that one run of the program can look at. */
public final class SweepLimit {
  public static final int SWEEP_KEYS = 512;

  private SweepLimit() {}
}
