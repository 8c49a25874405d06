// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.simulate;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/** IP addresses as people write them. */
public final class Addresses {
  private Addresses() {}

  /**
   * An address of 4 or 16 bytes, IPv6 in its short form.
   *
   * @throws IllegalArgumentException if there are neither 4 nor 16 bytes
   */
  public static String text(byte[] address) {
    try {
      return InetAddresses.toAddrString(InetAddress.getByAddress(address));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** An end of a flow: the address, and the port if there is one. */
  public static String end(String address, @Nullable Integer port) {
    if (port == null) {
      return address;
    }
    return (address.indexOf(':') >= 0 ? "[" + address + "]" : address) + ":" + port;
  }
}
