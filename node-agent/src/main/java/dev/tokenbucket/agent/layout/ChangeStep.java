// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.layout;

/** {@code enum change_step} of parameters.bpf.c. The two steps of a change of parameters. */
public final class ChangeStep {
  public static final int CHANGE_PROPOSE = 0;
  public static final int CHANGE_COMMIT = 1;

  private ChangeStep() {}
}
