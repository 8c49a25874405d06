// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

/**
 * How large a loaded program is.
 *
 * @param instructions after the verifier removed what can't be reached
 * @param verified instructions that the verifier walked, over all paths
 */
public record ProgramSize(int instructions, int verified) {
  // struct bpf_prog_info
  private static final int INFO_SIZE = 232;
  private static final int XLATED_LENGTH = 20;
  private static final int VERIFIED = 216;
  private static final int INSTRUCTION = 8;

  /** Of a program, by its descriptor. */
  public static ProgramSize of(int program) {
    var info = new NativeCalls().info(program, INFO_SIZE);
    return new ProgramSize(info.getInt(XLATED_LENGTH) / INSTRUCTION, info.getInt(VERIFIED));
  }
}
