package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.util.List;
import java.util.Optional;

/** What the agent asks of the hooks of interfaces. */
public interface KernelHooks {
  /** Attaches at the head of the interface's hook, so that it stays when we are gone. */
  void attach(int program, Attachment at);

  /** Exchanges the program there, without a gap. */
  void replace(Attachment at, int program);

  /** What of ours is attached there; empty where nothing is, or the interface is gone. */
  Optional<Attached> attached(Attachment at);

  /** Ends what an agent that was killed had begun to exchange there; most often nothing. */
  void settle(Attachment at);

  /** Detaches what of ours is attached there; no error where nothing is. */
  void detach(Attachment at);

  /**
   * The programs on an interface's TCX hook in the order in which they run, ours among them; empty
   * where the kernel has no TCX, or the interface is gone.
   */
  List<Long> tcxPrograms(int ifindex, Direction direction);

  /** Whether the kernel has TCX; elsewhere programs are attached as clsact filters. */
  boolean hasTcx();

  /** Which of the kernel's hooks holds a program. */
  enum Hook {
    TCX("TCX"),
    CLSACT("Clsact");

    private final String text;

    Hook(String text) {
      this.text = text;
    }

    /** As status and API have it. */
    public String text() {
      return text;
    }
  }

  /** An attached program, as the kernel reports it. */
  record Attached(int ifindex, long programId, Hook hook) {}
}
