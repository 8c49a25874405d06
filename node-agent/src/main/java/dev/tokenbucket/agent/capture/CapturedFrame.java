// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

/**
 * A frame of a capture. One object holds all frames of a file in turn, so that millions of frames
 * leave nothing to collect.
 */
public final class CapturedFrame {
  /** The longest frame that tcpdump or Wireshark captures. */
  static final int LONGEST = 262_144;

  private final byte[] bytes = new byte[LONGEST];

  // Only a reader writes these fields, whole frames at a time.
  private LinkType link = LinkType.ETHERNET;
  private int captured;
  private int length;
  private long nanos;
  private long number;

  void set(LinkType ofLink, int capturedBytes, int lengthOnTheWire, long at, long count) {
    link = ofLink;
    captured = capturedBytes;
    length = lengthOnTheWire;
    nanos = at;
    number = count;
  }

  /**
   * The frame's bytes, from 0 to {@link #captured}; the bytes after these belong to other frames.
   */
  public byte[] bytes() {
    return bytes;
  }

  public LinkType link() {
    return link;
  }

  /** The number of the frame's bytes in the file. */
  public int captured() {
    return captured;
  }

  /** The frame's length on the wire, in bytes; at least {@link #captured}. */
  public int length() {
    return length;
  }

  /** The time of capture, in nanoseconds since 1970. */
  public long nanos() {
    return nanos;
  }

  /** The frame's number; the first is 1. */
  public long number() {
    return number;
  }
}
