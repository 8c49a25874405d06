// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.program;

import java.util.List;
import java.util.Random;

/** Frames with small random damage, in a buffer that is reused. */
final class Mutator {
  private static final int ETHERNET = 14;
  private static final int HEADERS = 80;
  private static final int MAX_CHANGES = 4;

  /** Types and protocols that parsers branch on. */
  private static final int[] TYPES = {0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806, 0x0000, 0xffff};

  private static final int[] BYTES = {
    0, 1, 6, 17, 58, 132, 0x40, 0x45, 0x4f, 0x60, 43, 44, 50, 51, 59, 60, 135, 0x7f, 0x80, 0xff
  };

  private final List<byte[]> seeds;
  private final Random random;
  private final byte[] frame;
  private int length;

  Mutator(List<byte[]> seeds, int longest, Random random) {
    this.seeds = List.copyOf(seeds);
    this.random = random;
    frame = new byte[longest];
  }

  byte[] frame() {
    return frame;
  }

  int length() {
    return length;
  }

  /** Makes the next frame; one in sixteen is a seed as it was. */
  void next() {
    copy(seed(), 0);
    if (random.nextInt(16) == 0) {
      return;
    }
    for (int changes = 1 + random.nextInt(MAX_CHANGES); changes > 0; changes--) {
      change();
    }
  }

  private byte[] seed() {
    return seeds.get(random.nextInt(seeds.size()));
  }

  private void copy(byte[] from, int at) {
    int most = Math.min(from.length, frame.length);
    if (at < most) {
      System.arraycopy(from, at, frame, at, most - at);
      length = Math.max(ETHERNET, most);
    }
  }

  private void change() {
    switch (random.nextInt(9)) {
      case 0 -> flip(random.nextInt(length));
      case 1 -> flip(random.nextInt(Math.min(length, HEADERS)));
      case 2 -> frame[random.nextInt(Math.min(length, HEADERS))] = (byte) pick(BYTES);
      case 3 -> type(ETHERNET - 2);
      case 4 -> cut();
      case 5 -> grow();
      case 6 -> tags();
      case 7 -> copy(seed(), random.nextInt(Math.min(length, HEADERS)));
      default -> source();
    }
  }

  private void flip(int at) {
    frame[at] ^= (byte) (1 << random.nextInt(8));
  }

  private int pick(int[] from) {
    return from[random.nextInt(from.length)];
  }

  private void type(int at) {
    int type = pick(TYPES);
    frame[at] = (byte) (type >> 8);
    frame[at + 1] = (byte) type;
  }

  private void cut() {
    length = ETHERNET + random.nextInt(length - ETHERNET + 1);
  }

  private void grow() {
    int more = random.nextInt(frame.length - length + 1);
    for (int i = 0; i < Math.min(more, HEADERS); i++) {
      frame[length + i] = (byte) random.nextInt();
    }
    length += more;
  }

  /** At least one tag, and sometimes a pile of them. */
  private void tags() {
    for (int i = random.nextInt(4) == 0 ? random.nextInt(12) : 0; i >= 0; i--) {
      tag();
    }
  }

  private void tag() {
    if (length + 4 > frame.length) {
      return;
    }
    System.arraycopy(frame, ETHERNET - 2, frame, ETHERNET + 2, length - ETHERNET + 2);
    length += 4;
    type(ETHERNET - 2);
  }

  /** One of few further addresses, so that tables fill. */
  private void source() {
    int at = ETHERNET + 12 + random.nextInt(10);
    if (at < length) {
      frame[at] = (byte) random.nextInt(64);
    }
  }
}
