// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.List;
import java.util.Optional;

/** What the agent asks of the hooks of interfaces. */
public interface KernelHooks {
  /**
   * Attaches a program at the head of the interface's hook. The program stays attached after the
   * agent has ended.
   *
   * @throws XdpRefusedException if the hook is XDP's and the interface can't take the program
   */
  void attach(int program, Attachment at);

  /** Replaces the attached program without a gap. */
  void replace(Attachment at, int program);

  /** The agent's program on this hook; empty if there is none, or if the interface is gone. */
  Optional<Attached> attached(Attachment at);

  /** Completes or undoes an exchange that a killed agent left unfinished; usually there is none. */
  void settle(Attachment at);

  /** Detaches the agent's program from this hook; no error if there is none. */
  void detach(Attachment at);

  /**
   * The programs on an interface's TCX hook in the order in which they run, including the agent's
   * own; empty if the kernel has no TCX, if the interface is gone, or for XDP, whose hook holds one
   * program.
   */
  List<Long> tcxPrograms(int ifindex, HookPoint point);

  /** Whether the kernel has TCX. Without it, programs are attached as clsact filters. */
  boolean hasTcx();

  /** The kind of hook that holds a program. */
  enum Hook {
    TCX("TCX"),
    CLSACT("Clsact"),
    XDP("XDP");

    private final String text;

    Hook(String text) {
      this.text = text;
    }

    /** The kind's name in the status and the API. */
    public String text() {
      return text;
    }
  }

  /** An attached program, as the kernel reports it. */
  record Attached(int ifindex, long programId, Hook hook) {}
}
