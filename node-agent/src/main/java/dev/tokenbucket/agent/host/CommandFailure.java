// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.host;

/** Ends a command with its own exit code and with a message that says what to do. */
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Exit exit;

  public CommandFailure(Exit exit, String message) {
    super(message);
    this.exit = exit;
  }

  public Exit exit() {
    return exit;
  }

  /** The exit codes of {@code tb}; docs/reference/command-line.md lists the numbers. */
  public enum Exit {
    OK(0),
    /** The command failed, or its check found a fault. */
    FAILED(1),
    /** No hook of this host has a program of this layout. */
    NO_HOOK(3),
    /** Only an agent of another version has programs on this host's hooks. */
    OTHER_LAYOUT(4),
    /** A capability is missing. */
    NOT_PERMITTED(5),
    /** The folder of pins is not on a BPF file system. */
    NO_BPFFS(6),
    /** An agent runs on these pins. */
    AGENT_RUNS(7);

    private final int code;

    Exit(int code) {
      this.code = code;
    }

    public int code() {
      return code;
    }
  }
}
