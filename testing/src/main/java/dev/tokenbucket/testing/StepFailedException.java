// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.testing;

import org.jspecify.annotations.Nullable;

/** A failed step. The message says which one, and where its log is. */
public final class StepFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StepFailedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
