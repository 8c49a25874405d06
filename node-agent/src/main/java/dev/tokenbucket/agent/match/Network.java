// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.match;

import dev.tokenbucket.api.v1alpha1.Cidr;
import java.nio.ByteBuffer;

/**
 * A network as a key of the classifier's tries: an address whose leading bits count.
 *
 * @param version 4 or 6
 * @param high the upper 64 bits of the address; an IPv4 address is in the upper 32 of them
 * @param low the lower 64 bits
 */
record Network(int version, long high, long low, int prefixLength) {
  /** Bytes of an address in a key, without the version: zeros follow an IPv4 address. */
  static final int ADDRESS_SIZE = 16;

  static Network any(int version) {
    return new Network(version, 0, 0, 0);
  }

  /**
   * @param text a CIDR that the API's rules accept
   */
  static Network of(String text) {
    Cidr cidr =
        Cidr.parse(text)
            .orElseThrow(() -> new IllegalArgumentException(text + " is not a CIDR"))
            .masked();
    byte[] bytes = cidr.address().getAddress();
    ByteBuffer padded = ByteBuffer.allocate(ADDRESS_SIZE).put(bytes).rewind();
    return new Network(
        bytes.length == 4 ? 4 : 6, padded.getLong(), padded.getLong(), cidr.prefixLength());
  }

  /** The enclosing network of this length. */
  Network widened(int length) {
    long highMask = length == 0 ? 0 : -1L << Math.max(0, 64 - length);
    long lowMask = length <= 64 ? 0 : -1L << (128 - length);
    return new Network(version, high & highMask, low & lowMask, length);
  }

  /** Writes the address, in network order. */
  void putAddress(ByteBuffer to) {
    byte[] bytes = ByteBuffer.allocate(ADDRESS_SIZE).putLong(high).putLong(low).array();
    to.put(bytes);
  }
}
