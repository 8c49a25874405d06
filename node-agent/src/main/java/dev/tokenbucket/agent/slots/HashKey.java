// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.slots;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Arrays;

/**
 * The key with which the classifier hashes bucket keys to hints (places.h). It is secret, so that
 * no sender can choose addresses that share a hint. It lives as long as the tables do, across
 * restarts and upgrades of the agent, because programs with different keys would not find each
 * other's hints.
 *
 * @param bytes seed and odd multiplier, as in memory
 */
public record HashKey(ByteBuffer bytes) {
  static final int SIZE = 2 * Long.BYTES;

  public HashKey {
    bytes = bytes.asReadOnlyBuffer();
  }

  /** A new random key. */
  public static HashKey random() {
    byte[] key = new byte[SIZE];
    new SecureRandom().nextBytes(key);
    // Odd in either byte order.
    key[Long.BYTES] |= 1;
    key[SIZE - 1] |= 1;
    return of(key);
  }

  static HashKey of(byte[] bytes) {
    return new HashKey(ByteBuffer.wrap(Arrays.copyOf(bytes, SIZE)));
  }

  /** Whether this is the value of a map that was never written. */
  public boolean isUnset() {
    return equals(of(new byte[SIZE]));
  }

  /** The key as in memory. */
  public byte[] encode() {
    byte[] copy = new byte[SIZE];
    bytes.get(0, copy);
    return copy;
  }
}
