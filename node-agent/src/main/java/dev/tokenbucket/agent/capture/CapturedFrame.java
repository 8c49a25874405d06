package dev.tokenbucket.agent.capture;

/**
 * A frame of a capture. One object for all frames of a file, changed by each read, so that millions
 * leave nothing to collect.
 */
public final class CapturedFrame {
  /** No longer frame is captured by tcpdump or Wireshark. */
  static final int LONGEST = 262_144;

  private final byte[] bytes = new byte[LONGEST];

  // Written by a reader alone, whole frames at a time.
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

  /** The frame, from 0 to {@link #captured}; what follows is of other frames. */
  public byte[] bytes() {
    return bytes;
  }

  public LinkType link() {
    return link;
  }

  /** Bytes that the file has of it. */
  public int captured() {
    return captured;
  }

  /** Bytes that it had on the wire; at least {@link #captured}. */
  public int length() {
    return length;
  }

  /** When it was captured, in nanoseconds since 1970. */
  public long nanos() {
    return nanos;
  }

  /** The first is 1. */
  public long number() {
    return number;
  }
}
