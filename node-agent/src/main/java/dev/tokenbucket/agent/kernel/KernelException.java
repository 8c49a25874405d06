// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import java.util.List;
import jnr.constants.platform.Errno;

/** A failed call to the kernel or to libbpf: what was tried, and the errno. */
public final class KernelException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private static final int ENOENT = 2;

  /** A code of the kernel that libc has no name for: this combination is not supported. */
  private static final int ENOTSUPP = 524;

  /** The first of libbpf's own errors, enum libbpf_errno of bpf/libbpf.h. */
  private static final int LIBBPF = 4000;

  private static final List<String> LIBBPF_ERRORS =
      List.of(
          "LIBELF (the object is not an ELF file that libelf can read)",
          "FORMAT (the object is of an unknown format)",
          "KVERSION (the object has no valid kernel version)",
          "ENDIAN (the object is of the other byte order)",
          "INTERNAL (libbpf is at fault)",
          "RELOC (a relocation of the object failed)",
          "LOAD (the kernel did not load the program)",
          "VERIFY (the kernel's verifier refuses the program)",
          "PROG2BIG (the program is too large for the kernel)",
          "KVER (the program is for another kernel version)",
          "PROGTYPE (the kernel does not know the type of program)",
          "WRNGPID (a netlink answer is for another process)",
          "INVSEQ (a netlink answer is for another request)",
          "NLPARSE (a netlink answer can't be read)");

  private final int errno;

  public KernelException(String attempt, int errno) {
    super(attempt + " failed: " + text(errno));
    this.errno = errno;
  }

  private static String text(int errno) {
    if (errno == ENOTSUPP) {
      return "ENOTSUPP (the kernel does not support this)";
    }
    if (errno >= LIBBPF && errno < LIBBPF + LIBBPF_ERRORS.size()) {
      return "LIBBPF_ERRNO__" + LIBBPF_ERRORS.get(errno - LIBBPF);
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
