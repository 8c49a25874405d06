package dev.tokenbucket.agent.kernel;

import jnr.constants.platform.Errno;

/** A call to the kernel or to libbpf that failed: what was tried, and the errno. */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private static final int ENOENT = 2;

  /** The kernel's own, which no libc names: what it can't do in this combination. */
  private static final int ENOTSUPP = 524;

  private final int errno;

  public KernelException(String attempt, int errno) {
    super(attempt + " failed: " + text(errno));
    this.errno = errno;
  }

  private static String text(int errno) {
    if (errno == ENOTSUPP) {
      return "ENOTSUPP (the kernel does not support this)";
    }
    Errno known = Errno.valueOf(errno);
    return known.defined() && known.intValue() == errno
        ? known.name() + " (" + known.description() + ")"
        : "errno " + errno;
  }

  /** Whether what was asked for is not there: most often a pin that was removed meanwhile. */
  public boolean isMissing() {
    return errno == ENOENT;
  }

  /** The positive errno. */
  public int errno() {
    return errno;
  }
}
