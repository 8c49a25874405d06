// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

/** The limits of a frame's length in a capture. */
final class Lengths {
  private Lengths() {}

  static void check(CaptureInput in, long number, int captured, int length)
      throws CaptureException {
    if (captured < 0 || captured > CapturedFrame.LONGEST) {
      throw in.problem(
          "packet %d has %,d bytes; at most %,d are allowed"
              .formatted(number, Integer.toUnsignedLong(captured), CapturedFrame.LONGEST));
    }
    if (length < 0 || length > CapturedFrame.LONGEST) {
      throw in.problem(
          "packet %d had %,d bytes on the wire; at most %,d are allowed"
              .formatted(number, Integer.toUnsignedLong(length), CapturedFrame.LONGEST));
    }
  }
}
