// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.probe;

/** A fault that a hook found. The message is meant for the user who ran Helm. */
final class ProbeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ProbeException(String message) {
    super(message);
  }
}
