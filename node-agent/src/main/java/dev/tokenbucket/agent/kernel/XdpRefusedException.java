// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

/** The kernel or a driver does not take a program on an interface's XDP hook. */
public final class XdpRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** A refusal without a cause to show: it was met earlier, or the reason says all. */
  public XdpRefusedException(String reason) {
    super(reason);
  }

  XdpRefusedException(String reason, KernelException cause) {
    super(reason, cause);
  }
}
