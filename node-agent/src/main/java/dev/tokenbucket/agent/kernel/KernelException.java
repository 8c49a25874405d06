package dev.tokenbucket.agent.kernel;

/** A call to the kernel or to libbpf that failed: what was tried, and the errno. */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int errno;

  public KernelException(String attempt, int errno) {
    super(
        attempt
            + " failed: "
            + jnr.constants.platform.Errno.valueOf(errno).name()
            + " ("
            + jnr.constants.platform.Errno.valueOf(errno).description()
            + ")");
    this.errno = errno;
  }

  /** The positive errno. */
  public int errno() {
    return errno;
  }
}
