// SPDX-License-Identifier: Apache-2.0
package dev.tokenbucket.agent.kernel;

import dev.tokenbucket.api.v1alpha1.Direction;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Where on an interface a program runs. */
public enum HookPoint {
  INGRESS(Direction.Ingress),
  EGRESS(Direction.Egress),
  /** Received frames, in the driver, before the kernel allocates a packet. */
  XDP(Direction.Ingress);

  private final Direction direction;

  HookPoint(Direction direction) {
    this.direction = direction;
  }

  /** The hook of TCX or clsact. */
  public static HookPoint tc(Direction direction) {
    return direction == Direction.Ingress ? INGRESS : EGRESS;
  }

  public Direction direction() {
    return direction;
  }

  /** The name of the folder of pins of an interface's hook. */
  public String folder(int ifindex) {
    return prefix() + ifindex;
  }

  /** The index of the interface whose folder of pins has this name; empty for another name. */
  public Optional<Integer> ifindex(String folder) {
    return Stream.of(folder)
        .filter(name -> name.matches(prefix() + "[0-9]{1,9}"))
        .map(name -> Integer.valueOf(name.substring(prefix().length())))
        .findFirst();
  }

  private String prefix() {
    return name().toLowerCase(Locale.ROOT) + "-";
  }

  /** As the status and messages name it beside an interface: a direction, or XDP. */
  @Override
  public String toString() {
    return this == XDP ? "XDP" : direction.toString();
  }
}
