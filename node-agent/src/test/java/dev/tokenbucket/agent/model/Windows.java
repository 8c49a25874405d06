// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/** The comparisons of V - pos, which wraps: it is unsigned, with a band under zero for "ahead". */
final class Windows {
  /** {@code BUCKET_AHEAD} of token_bucket.h. */
  private static final long AHEAD = 1L << 58;

  private Windows() {}

  /** Whether a position is ahead of V, by a debt or by a clock reading that is old. */
  static boolean isAhead(long held) {
    return Long.compareUnsigned(held, -AHEAD) > 0;
  }

  /** Whether V is right of the window. */
  static boolean isRightOf(long held, long width) {
    return Long.compareUnsigned(held, width) > 0;
  }
}
