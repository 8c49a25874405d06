// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.capture;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The link types of captured frames, with the numbers of tcpdump.org/linktypes.html. */
public enum LinkType {
  ETHERNET("Ethernet", 1, true, 0),
  IP("IP without a link header", 101, false, 0),
  /** Written by {@code tcpdump -i any}. */
  LINUX_COOKED("Linux cooked", 113, false, 16),
  LINUX_COOKED_2("Linux cooked, version 2", 276, false, 20);

  private final String text;
  private final int number;
  private final boolean ethernet;
  private final int headerBytes;

  LinkType(String text, int number, boolean ethernet, int headerBytes) {
    this.text = text;
    this.number = number;
    this.ethernet = ethernet;
    this.headerBytes = headerBytes;
  }

  static Optional<LinkType> of(int number) {
    return switch (number) {
      // OpenBSD's and FreeBSD's numbers for raw IP, and the numbers for a single version
      case 12, 14, 228, 229 -> Optional.of(IP);
      default -> Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    };
  }

  static String known() {
    return Arrays.stream(values())
        .map(type -> type.text + " (" + type.number + ")")
        .collect(Collectors.joining(", "));
  }

  /**
   * Whether frames begin with an Ethernet header; otherwise, after {@link #headerBytes}, with the
   * IP header.
   */
  public boolean isEthernet() {
    return ethernet;
  }

  /** Bytes that the capture puts before the part for the classifier. */
  public int headerBytes() {
    return headerBytes;
  }

  int number() {
    return number;
  }
}
