// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.io.IOException;

/** A capture file that is not what it claims to be: names the file, the offset and the fault. */
public final class CaptureException extends IOException {
  private static final long serialVersionUID = 1;

  CaptureException(String file, long offset, String problem) {
    super("%s, at byte %,d: %s".formatted(file, offset, problem));
  }
}
