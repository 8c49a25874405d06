// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.cli;

import dev.tokenbucket.agent.capture.CaptureReader;
import java.io.PrintStream;

/** The progress of reading a capture, shown only on standard error and only on a terminal. */
final class Progress {
  private static final int WIDTH = 40;

  /** Packets between looks at the clock. */
  private static final int LOOK = 1 << 14;

  private static final long REDRAW_NANOS = 200_000_000;

  private final CaptureReader capture;
  private final long size;
  private final boolean shown;
  private final PrintStream err = System.err;
  private long drawnAt = System.nanoTime();
  private boolean drawn;

  /**
   * @param size the size of the capture in bytes; 0 if unknown
   */
  Progress(CaptureReader capture, long size) {
    this.capture = capture;
    this.size = size;
    this.shown = Terminal.isStandardError();
  }

  void advance(long packets) {
    if (!shown || packets % LOOK != 0) {
      return;
    }
    long now = System.nanoTime();
    if (now - drawnAt < REDRAW_NANOS) {
      return;
    }
    drawnAt = now;
    drawn = true;
    if (size == 0) {
      err.printf("\r%,d packets", packets);
    } else {
      double part = Math.min(1, capture.offset() / (double) size);
      int full = (int) (WIDTH * part);
      err.printf(
          "\r[%s%s] %3.0f %%  %,d packets",
          "#".repeat(full), " ".repeat(WIDTH - full), 100 * part, packets);
    }
    err.flush();
  }

  /** Clears the line. */
  void end() {
    if (drawn) {
      err.print("\r\u001b[K");
      err.flush();
      drawn = false;
    }
  }
}
