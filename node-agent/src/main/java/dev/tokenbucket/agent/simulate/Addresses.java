package dev.tokenbucket.agent.simulate;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** IP addresses as people write them. */
public final class Addresses {
  private Addresses() {}

  /**
   * An address of 4 or 16 bytes, IPv6 in its short form.
   *
   * @throws IllegalArgumentException where there are other than 4 or 16
   */
  public static String text(byte[] address) {
    try {
      return InetAddresses.toAddrString(InetAddress.getByAddress(address));
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
