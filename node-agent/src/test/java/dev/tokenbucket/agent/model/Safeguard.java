// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.model;

/** What the algorithm does for the bound's sake. A model run without one of these must break it. */
enum Safeguard {
  /** Two packets that read the same position can't both move it from there. */
  COMPARE_AND_SWAP,
  /** W is B less what may be prepaid, since prepaid tokens are spent beside a full window. */
  WINDOW_NARROWED(Form.KEYED),
  /**
   * What is handed out in advance is a share of B: it grows with B, and less than B does. Else a
   * change that hands out less would widen the window by what has been spent already.
   */
  SHARE_FOLLOWS_BURST,
  /** {@code lim} is at most V: tokens of the future are not handed out. */
  LIMIT_WITHIN_GRANT(Form.KEYED),
  /**
   * {@code lim} is at most a batch beyond the position. Kept when it is written and when it is
   * used; either is enough while B stays, so both are taken out.
   */
  LIMIT_WITHIN_BATCH(Form.KEYED),
  /** Prepaid tokens of a larger B are not spent once a smaller one is in force. */
  PREPAID_HELD_TO_LINE(Form.KEYED),
  /** A bucket is marked by compare-and-swap before it is deleted. */
  MARK(Form.KEYED),
  /**
   * A packet reads the position, then whether the place is its key's, so that its compare-and-swap
   * fails where the place has become another key's meanwhile.
   */
  KEY_AFTER_POSITION(Form.KEYED),
  /** The key of a place becomes valid when the entry is there that leads to it. */
  KEY_VALID_WITH_ENTRY(Form.KEYED),
  /** The key of a place is not valid any more when it is free, or another key's. */
  KEY_INVALID_WHEN_FREE(Form.KEYED),
  /** A clock reading from before t0 is before t0, not nearly a turn of the clock after it. */
  SIGNED_TIME,
  /** A packet reads the clock first, then which line is in force. */
  CLOCK_BEFORE_PARAMETERS(Form.KEYED),
  /**
   * What is prepaid is judged by a line that was in force after the position was read: else each
   * CPU could bring a prepaid packet over a change that makes B smaller.
   */
  POSITION_BEFORE_PARAMETERS(Form.KEYED),
  /** A line is written again only after all packets have ended that could be reading it. */
  GRACE_PERIOD,
  /** A change whose t0 has come when all can see that it is proposed is withdrawn. */
  LATE_PROPOSAL_WITHDRAWN,
  /**
   * A packet that has read a clock of a proposal's t0 or later refuses it, and takes the old line
   * only if this came before the commit.
   */
  LATE_PROPOSAL_REFUSED,
  /** A change waits until the last bend lies behind every packet. */
  LAST_BEND_PASSED,
  /** With a reservation a CPU: W is B less what all CPUs can hold. */
  WINDOW_NARROWED_BY_RESERVATIONS(Form.RESERVING),
  /** With a reservation a CPU: what is held of a larger B is thrown away. */
  RESERVATION_HELD_TO_LINE(Form.RESERVING);

  private final boolean keyed;
  private final boolean reserving;

  Safeguard() {
    keyed = true;
    reserving = true;
  }

  Safeguard(Form only) {
    keyed = only == Form.KEYED;
    reserving = only == Form.RESERVING;
  }

  /** Whether this form of bucket has it. */
  boolean isOf(Form form) {
    return form == Form.KEYED ? keyed : reserving;
  }
}
