// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.api.v1alpha1;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The IP protocols that have a name here, with their numbers. */
public enum IpProtocol {
  ICMP(1),
  IGMP(2),
  TCP(6),
  UDP(17),
  ESP(50),
  AH(51),
  ICMPV6(58),
  SCTP(132);

  private static final int MOST = 255;

  private final int number;

  IpProtocol(int number) {
    this.number = number;
  }

  public int number() {
    return number;
  }

  /** The protocol's name, or its number if it has none. */
  public static String name(int number) {
    return Arrays.stream(values())
        .filter(each -> each.number == number)
        .map(Enum::name)
        .findFirst()
        .orElse("protocol " + number);
  }

  /** The protocol's number, given as a name or a number. */
  public static Optional<Integer> number(String text) {
    if (text.matches("[0-9]{1,3}")) {
      return Optional.of(Integer.parseInt(text)).filter(number -> number <= MOST);
    }
    return Arrays.stream(values())
        .filter(each -> each.name().equals(text.toUpperCase(Locale.ROOT)))
        .map(IpProtocol::number)
        .findFirst();
  }
}
